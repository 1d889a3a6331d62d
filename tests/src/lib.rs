//! Nothing: this package is its tests. Start at `contract/main.rs`.
