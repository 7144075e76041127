//! Generates the wire types from `sward.proto` with protox, so that no protoc needs to be installed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=sward.proto");
    prost_build::Config::new().compile_fds(protox::compile(["sward.proto"], ["."])?)?;
    Ok(())
}
