//! Closed vocabularies: a word for each value, the same in JSON, logs, metrics and on the wire.
//!
//! Decides how such an enum is written and read. Never decides which words there are.

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident => $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        pub enum $name { $($(#[$item_doc])* #[serde(rename = $code)] $item,)+ }

        impl $name {
            /// Every word, in order.
            pub const ALL: &[Self] = &[$(Self::$item),+];

            /// The word as it stands in JSON, logs and on the wire.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$item => $code,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|word| word.code() == text)
                    .ok_or_else(|| format!("unknown word {text}"))
            }
        }
    };
}

pub(crate) use vocabulary;
