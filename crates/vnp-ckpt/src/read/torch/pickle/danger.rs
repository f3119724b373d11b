//! Which names in a pickle can start a program: of these alone a reader is warned.
//!
//! A file that names any other unknown class is refused too, but is not an attack: it was saved with
//! more in it than this crate reads. The lists hold what attacks are known to use and the modules of
//! Python that run, load or fetch code; whatever they miss is refused all the same.

/// Modules whose functions run programs or code, open files or connections, or find other functions.
const MODULES: [&str; 62] = [
    "_ctypes",
    "_pickle",
    "_posixsubprocess",
    "_thread",
    "_winapi",
    "aiohttp",
    "asyncio",
    "atexit",
    "bdb",
    "cPickle",
    "cProfile",
    "cffi",
    "cloudpickle",
    "codeop",
    "concurrent",
    "ctypes",
    "dill",
    "distutils",
    "doctest",
    "ensurepip",
    "ftplib",
    "httplib",
    "httpx",
    "idlelib",
    "imaplib",
    "imp",
    "importlib",
    "ipykernel",
    "IPython",
    "joblib",
    "lib2to3",
    "marshal",
    "multiprocessing",
    "paramiko",
    "pdb",
    "pickle",
    "pip",
    "pkgutil",
    "popen2",
    "poplib",
    "pty",
    "pydoc",
    "requests",
    "runpy",
    "setuptools",
    "shelve",
    "shutil",
    "smtplib",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "sys",
    "telnetlib",
    "threading",
    "timeit",
    "urllib",
    "urllib2",
    "urllib3",
    "venv",
    "webbrowser",
    "zipimport",
];

/// Modules with harmless names in them too, or named as people name their own packages, with those of
/// their names that run programs or code, change files, or reach what does.
const NAMES: [(&str, &[&str]); 11] = [
    ("_operator", &["attrgetter", "call", "methodcaller"]),
    ("code", &["InteractiveConsole", "InteractiveInterpreter", "compile_command", "interact"]),
    ("commands", &["getoutput", "getstatus", "getstatusoutput", "mk2arg", "mkarg"]),
    ("http.client", &["HTTPConnection", "HTTPSConnection"]),
    ("http.server", &["HTTPServer", "ThreadingHTTPServer", "test"]),
    ("operator", &["attrgetter", "call", "methodcaller"]),
    ("profile", &["Profile", "main", "run", "runctx"]),
    ("site", &["addpackage", "addsitedir", "execsitecustomize", "execusercustomize", "main"]),
    ("trace", &["Trace", "main"]),
    ("uuid", &["_get_command_stdout", "_popen"]),
    ("yaml", &["full_load", "full_load_all", "load", "load_all", "unsafe_load", "unsafe_load_all"]),
];

/// The modules of the operating system's functions, of which few are harmless.
const SYSTEM: [&str; 3] = ["nt", "os", "posix"];
/// Functions and classes of these that only say something; all else of them is taken for dangerous.
const HARMLESS: [&str; 17] = [
    "DirEntry",
    "PathLike",
    "cpu_count",
    "environ",
    "fspath",
    "getcwd",
    "getcwdb",
    "getenv",
    "getlogin",
    "getpid",
    "getppid",
    "getuid",
    "sep",
    "stat_result",
    "terminal_size",
    "times_result",
    "uname_result",
];

/// Functions of `builtins` that run code, or reach others that do.
const BUILTINS: [&str; 21] = [
    "__import__",
    "apply",
    "breakpoint",
    "compile",
    "delattr",
    "eval",
    "exec",
    "execfile",
    "exit",
    "file",
    "filter",
    "getattr",
    "globals",
    "help",
    "input",
    "locals",
    "map",
    "open",
    "raw_input",
    "setattr",
    "vars",
];

/// Modules within others that load or run code.
const INNER: [&str; 14] = [
    "logging.config",
    "numpy.ctypeslib",
    "numpy.f2py",
    "numpy.testing",
    "numpy.distutils",
    "pandas.io",
    "torch.hub",
    "torch.jit",
    "torch.package",
    "torch.serialization",
    "torch.utils.collect_env",
    "torch.utils.cpp_extension",
    "torch.distributed.elastic",
    "torch.distributed.rpc",
];

/// Functions of other modules that load or run code.
const FUNCTIONS: [(&str, &str); 28] = [
    ("torch", "load"),
    ("torch", "compile"),
    ("torch.storage", "_load_from_bytes"),
    ("torch.ops", "load_library"),
    ("torch._ops", "load_library"),
    ("torch.fx.graph_module", "reduce_graph_module"),
    ("torch.fx.graph_module", "reduce_package_graph_module"),
    ("torch.fx.graph_module", "reduce_deploy_graph_module"),
    ("pandas", "read_pickle"),
    ("pandas", "eval"),
    ("keras.models", "load_model"),
    ("keras.saving", "load_model"),
    ("tensorflow.keras.models", "load_model"),
    ("numpy", "load"),
    ("numpy.lib.npyio", "load"),
    ("numpy.lib._npyio_impl", "load"),
    ("numpy", "loads"),
    ("types", "CodeType"),
    ("types", "FunctionType"),
    ("types", "LambdaType"),
    ("types", "MethodType"),
    ("functools", "reduce"),
    ("io", "open"),
    ("io", "FileIO"),
    ("_io", "open"),
    ("_io", "FileIO"),
    ("codecs", "open"),
    ("platform", "popen"),
];

/// Whether Python may run a program when it loads a file with this name in it.
pub(super) fn may_run(module: &str, name: &str) -> bool {
    let first = module.split('.').next().unwrap_or_default();
    let within = |inner: &&str| {
        module.strip_prefix(*inner).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    // A name with dots is a way through attributes, such as `Tensor.__init__.__globals__`.
    let mut way = name.split('.');
    let start = name.split('.').next().unwrap_or_default();
    let is_module = |part: &str| MODULES.contains(&part) || SYSTEM.contains(&part);
    let leaves = name.contains('.') && way.any(|part| part.starts_with("__") || is_module(part));
    match first {
        "builtins" | "__builtin__" | "__builtins__" => BUILTINS.contains(&start) || leaves,
        _ => {
            MODULES.contains(&first)
                || is_of_system(module, name)
                || NAMES.iter().any(|(known, names)| *known == module && names.contains(&start))
                || INNER.iter().any(within)
                || FUNCTIONS.contains(&(module, name))
                || leaves
        }
    }
}

/// Whether this is of the operating system's functions, and not known to be harmless. The functions on
/// paths (`os.path.join`) only handle text or look at files.
fn is_of_system(module: &str, name: &str) -> bool {
    SYSTEM.contains(&module) && !HARMLESS.contains(&name) && !name.starts_with("path.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(module: &str, name: &str, expected: bool) {
        assert_eq!(may_run(module, name), expected, "{module}.{name}");
    }

    #[test]
    fn what_may_run_a_program() {
        check("os", "system", true);
        check("posix", "system", true);
        check("nt", "system", true);
        check("subprocess", "Popen", true);
        check("builtins", "eval", true);
        check("__builtin__", "exec", true);
        check("builtins", "getattr", true);
        check("importlib", "import_module", true);
        check("importlib.util", "spec_from_file_location", true);
        check("torch", "load", true);
        check("torch.serialization", "load", true);
        check("torch.hub", "load", true);
        check("numpy.testing._private.utils", "runstring", true);
        check("torch._utils", "_rebuild_tensor_v2.__globals__", true);
        check("torch", "serialization.os.system", true);
        check("functools", "reduce", true);
        check("types", "CodeType", true);
        check("torch.storage", "_load_from_bytes", true);
        check("torch.ops", "load_library", true);
        check("torch.fx.graph_module", "reduce_graph_module", true);
        check("torch.utils.collect_env", "run", true);
        check("pandas", "read_pickle", true);
        check("numpy.distutils.exec_command", "exec_command", true);
        check("numpy.lib.npyio", "load", true);
        check("keras.models", "load_model", true);
        check("yaml", "load", true);
        check("_winapi", "CreateProcess", true);
        check("uuid", "_get_command_stdout", true);
        check("code", "InteractiveInterpreter", true);
        check("code", "InteractiveInterpreter.runcode", true);
        check("commands", "getoutput", true);
        check("profile", "run", true);
        check("trace", "Trace", true);
        check("http.client", "HTTPSConnection", true);
        check("operator", "attrgetter", true);
        check("_operator", "methodcaller", true);
        check("os", "path.os.system", true);
        check("posix", "execve", true);
    }

    #[test]
    fn what_is_only_unknown() {
        check("datetime", "datetime", false);
        check("posix", "getcwd", false);
        check("os", "path.join", false);
        check("os.path", "join", false);
        check("posixpath", "join", false);
        check("operator", "itemgetter", false);
        check("_operator", "add", false);
        check("code.models", "Net", false);
        check("code", "Net", false);
        check("profile", "Config", false);
        check("commands.train", "Options", false);
        check("trace.run", "run", false);
        check("http", "HTTPStatus", false);
        check("uuid", "UUID", false);
        check("yaml", "YAMLObject", false);
        check("__main__", "Evil", false);
        check("collections", "deque", false);
        check("torch._utils", "_rebuild_sparse_tensor", false);
        check("torch.nn.modules.container", "Sequential", false);
        check("torch", "ComplexFloatStorage", false);
        check("torch.optim.adam", "Adam", false);
        check("pytorch_lightning.utilities.parsing", "AttributeDict", false);
        check("builtins", "complex", false);
        check("numpy", "matrix", false);
        check("types", "SimpleNamespace", false);
        check("functools", "partial", false);
        check("logging", "getLogger", false);
        check("osmium", "x", false);
        check("torch.hubris", "x", false);
        check("mylab.models", "Outer.Inner", false);
        check("", "", false);
    }
}
