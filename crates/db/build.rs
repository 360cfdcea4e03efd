//! Embedded migrations are read at compile time; cargo must notice when they change.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
