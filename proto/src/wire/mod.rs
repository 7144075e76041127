//! The wire's messages, parsed.
//!
//! Decides what a well-formed message is: each submodule turns generated protobuf types into checked ones and back.
//! Never decides what a message means: that is the cores' business.

pub mod answer;
pub mod bounds;
pub mod exchange;
pub mod frame;
pub mod lease;
pub mod refusal;
pub mod reply;
pub mod request;
pub mod standing;

/// Types generated from `sward.proto`, not yet checked.
pub mod pb {
    #![expect(missing_docs, reason = "the comments stand in sward.proto")]
    include!(concat!(env!("OUT_DIR"), "/sward.v1.rs"));
}

/// The version that this build speaks.
pub const WIRE_VERSION: u32 = 1;
