//! Which names in a pickle can start a program: of these alone a reader is warned.
//!
//! A file that names any other unknown class is refused too, but is not an attack: it was saved with
//! more in it than this crate reads. The lists hold what attacks are known to use and the modules of
//! Python that run, load or fetch code; whatever they miss is refused all the same.

/// Modules whose functions run programs or code, open files or connections, or find other functions.
const MODULES: [&str; 72] = [
    "_ctypes",
    "_operator",
    "_pickle",
    "_posixsubprocess",
    "_thread",
    "aiohttp",
    "asyncio",
    "atexit",
    "bdb",
    "cPickle",
    "cProfile",
    "cffi",
    "cloudpickle",
    "code",
    "codeop",
    "commands",
    "concurrent",
    "ctypes",
    "dill",
    "distutils",
    "doctest",
    "ensurepip",
    "ftplib",
    "httplib",
    "http",
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
    "nt",
    "operator",
    "os",
    "paramiko",
    "pdb",
    "pickle",
    "pip",
    "pkgutil",
    "popen2",
    "poplib",
    "posix",
    "profile",
    "pty",
    "pydoc",
    "requests",
    "runpy",
    "setuptools",
    "shelve",
    "shutil",
    "site",
    "smtplib",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "sys",
    "telnetlib",
    "threading",
    "timeit",
    "trace",
    "urllib",
    "urllib2",
    "urllib3",
    "venv",
    "webbrowser",
    "zipimport",
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
const INNER: [&str; 12] = [
    "logging.config",
    "numpy.ctypeslib",
    "numpy.f2py",
    "numpy.testing",
    "pandas.io",
    "torch.hub",
    "torch.jit",
    "torch.package",
    "torch.serialization",
    "torch.utils.cpp_extension",
    "torch.distributed.elastic",
    "torch.distributed.rpc",
];

/// Functions of other modules that load or run code.
const FUNCTIONS: [(&str, &str); 15] = [
    ("torch", "load"),
    ("torch", "compile"),
    ("numpy", "load"),
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
    let mut way = name.split('.').peekable();
    let leaves =
        name.contains('.') && way.any(|part| part.starts_with("__") || MODULES.contains(&part));
    match first {
        "builtins" | "__builtin__" | "__builtins__" => {
            BUILTINS.contains(&name.split('.').next().unwrap_or_default()) || leaves
        }
        _ => {
            MODULES.contains(&first)
                || INNER.iter().any(within)
                || FUNCTIONS.contains(&(module, name))
                || leaves
        }
    }
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
    }

    #[test]
    fn what_is_only_unknown() {
        check("datetime", "datetime", false);
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
