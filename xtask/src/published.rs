//! The packages that are published.

/// The packages that are published, each after those that it needs.
pub(crate) const PACKAGES: [&str; 4] = ["ideogram-codegen", "ideogram-mock", "ideogram-client", "ideogram-cli"];

/// The folder of an unpacked package. All have the version of the workspace, as this one.
pub(crate) fn unpacked(name: &str) -> String {
    format!("{name}-{}", env!("CARGO_PKG_VERSION"))
}
