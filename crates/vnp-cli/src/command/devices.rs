//! `vnp devices`: the devices that this build can use.

use crate::exit::Exit;
use crate::output::{self, table::table};

/// `vnp devices`
pub(crate) fn run() -> anyhow::Result<Exit> {
    let mut rows = vec![["device", "available", "description"].map(str::to_owned)];
    for device in vnp_infer::list_devices() {
        let available = if device.available { "yes" } else { "no" };
        rows.push([device.name, available.to_owned(), device.description]);
    }
    output::stream(|out| table(out, || rows.iter().cloned()))?;
    Ok(Exit::Done)
}
