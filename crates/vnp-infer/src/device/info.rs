//! The description of a device, for users.

/// One device, as [`list_devices`](crate::list_devices) reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// The text that selects it: `cpu`, `cuda:0`.
    pub name: String,
    /// What it is, or why it is not available.
    pub description: String,
    /// Whether this build can use it here.
    pub available: bool,
}
