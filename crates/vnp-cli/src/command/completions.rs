//! `vnp completions` and `vnp man`: texts that clap generates from the arguments.

use clap::CommandFactory;

use crate::args::Args;
use crate::exit::Exit;
use crate::output;

/// `vnp completions SHELL`
pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "vnp", &mut script);
    output::stream(|out| out.write_all(&script))?;
    Ok(Exit::Done)
}

/// `vnp man`: one page with every command on it.
pub(crate) fn man() -> anyhow::Result<Exit> {
    let mut page = Vec::new();
    let mut command = Args::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for subcommand in command.get_subcommands().filter(|command| command.get_name() != "help") {
        section(subcommand, &mut page)?;
    }
    output::stream(|out| out.write_all(&page))?;
    Ok(Exit::Done)
}

/// The options of one command and of the commands below it.
fn section(command: &clap::Command, page: &mut Vec<u8>) -> anyhow::Result<()> {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    page.extend_from_slice(format!(".SH {}\n", name.to_uppercase()).as_bytes());
    let man = clap_mangen::Man::new(command.clone());
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    for subcommand in command.get_subcommands().filter(|command| command.get_name() != "help") {
        section(subcommand, page)?;
    }
    Ok(())
}
