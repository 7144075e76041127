//! What honest loads of one page differ by, and what forgers change, each labelled.

use super::source::{Edit, Places};
use crate::chance::mix;

/// Why two honest loads of one page differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noise {
    /// A time to the second, and how long the page took to make.
    Seconds,
    /// "… minutes ago": two values within one minute of fetches.
    Minutes,
    /// One of thirty advertisements that are marked as such, and one of thirty that are not.
    Advertisements,
    /// Tokens against request forgery, nonces and a token in a script.
    Tokens,
    /// A list of related links in another order.
    Reordering,
    /// Views of this page.
    Counters,
    /// The words of the interface in another language: another region's page.
    Translation,
}

impl Noise {
    /// Every one, with its name.
    pub const ALL: [(Self, &str); 7] = [
        (Self::Seconds, "time stamps"),
        (Self::Minutes, "minutes ago"),
        (Self::Advertisements, "rotating ads"),
        (Self::Tokens, "tokens"),
        (Self::Reordering, "reordering"),
        (Self::Counters, "counters"),
        (Self::Translation, "translation"),
    ];
}

/// What a forger changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// One digit of one number.
    Number,
    /// The target of one link.
    Link,
    /// One paragraph says something else.
    Paragraph,
    /// One paragraph more.
    Insertion,
    /// An injected script.
    Script,
    /// An injected frame.
    Frame,
    /// A copy from before: several numbers and paragraphs differ.
    OldCopy,
}

impl Forgery {
    /// Every one, with its name.
    pub const ALL: [(Self, &str); 7] = [
        (Self::Number, "one number"),
        (Self::Link, "one link"),
        (Self::Paragraph, "one paragraph"),
        (Self::Insertion, "one paragraph more"),
        (Self::Script, "injected script"),
        (Self::Frame, "injected frame"),
        (Self::OldCopy, "older copy"),
    ];
}

/// Chance that is the same in every run.
#[derive(Debug, Clone, Copy)]
pub struct Chance(u64);

impl Chance {
    /// What these numbers name.
    #[must_use]
    pub fn new(parts: &[usize]) -> Self {
        Self(parts.iter().fold(0x5eed, |sum, part| mix(sum ^ (*part as u64) << 1 ^ 0x9e37)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count.max(1) as u64).unwrap_or_default()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }
}

/// Words of interfaces and their translation.
const INTERFACE: [(&str, &str); 20] = [
    ("home", "Startseite"),
    ("search", "Suche"),
    ("menu", "Menü"),
    ("contact", "Kontakt"),
    ("contact us", "Kontakt"),
    ("about", "Über uns"),
    ("about us", "Über uns"),
    ("share", "Teilen"),
    ("log in", "Anmelden"),
    ("login", "Anmelden"),
    ("sign in", "Anmelden"),
    ("sign up", "Registrieren"),
    ("news", "Nachrichten"),
    ("privacy policy", "Datenschutz"),
    ("terms of use", "Nutzungsbedingungen"),
    ("read more", "Weiterlesen"),
    ("comments", "Kommentare"),
    ("subscribe", "Abonnieren"),
    ("next", "Weiter"),
    ("previous", "Zurück"),
];

const SENTENCES: [&str; 3] = [
    "The ministry confirmed on Tuesday that the whole programme has been cancelled without any compensation.",
    "According to the company all units sold since March have to be returned at the buyer's own expense.",
    "The authors withdrew the result after an error in the second experiment had come to light.",
];

/// The edits of one load; where they stand depends on the page alone.
pub fn load(
    noise: Noise,
    places: &Places,
    html: &str,
    page: usize,
    load: &mut Chance,
) -> Vec<Edit> {
    let mut layout = Chance::new(&[page, 77]);
    let mut gap = || layout.pick(&places.gaps).copied().unwrap_or(html.len());
    let (first, second) = (gap(), gap());
    let at = |gap: usize, text: String| (gap..gap, text);
    let minute = page % 50;
    match noise {
        Noise::Seconds => {
            let (second, took) = (load.below(60), load.below(900));
            let stamp = format!("14:{minute:02}:{second:02}");
            vec![
                at(first, format!("<div class=stamp>Generated {stamp} in 0.{took:03} s</div>")),
                at(html.len(), format!("<!-- cached {stamp} -->")),
            ]
        }
        Noise::Minutes => {
            // All fetches within one minute: the value turns over once, at a moment that depends on the page.
            let ago = 2 + page % 40 + usize::from(load.below(60) > page % 60);
            vec![at(first, format!("<p class=date>Updated {ago} minutes ago</p>"))]
        }
        Noise::Advertisements => {
            let (a, b, tag) = (load.below(30), load.below(30), load.next());
            let marked = format!(
                "<div class='ad-slot ad-{a}'><a href='//ads{a}.example/c?i={tag}'>Offer {a}</a>\
                 <script src='//cdn.ads{a}.example/t.js?{tag}'></script></div>"
            );
            let unmarked = format!(
                "<div class=promo><a href='/go/{b}'>Our partner's offer number {b}, today only</a></div>"
            );
            vec![at(first, marked), at(second, unmarked)]
        }
        Noise::Tokens => {
            let (a, b, c) = (load.next(), load.next(), load.next());
            vec![at(
                first,
                format!(
                    "<meta name=csrf-token content='{a:x}'><form action=/s><input type=hidden name=t \
                     value={b:x}></form><script nonce='{c:x}'>var token = '{a:x}', at = {};</script>",
                    c % 1_000_000
                ),
            )]
        }
        Noise::Reordering => {
            let mut items: Vec<usize> = (0..8).collect();
            for n in (1..items.len()).rev() {
                items.swap(n, load.below(n + 1));
            }
            let item =
                |n: &usize| format!("<li><a href='/related/{page}-{n}'>Related story {n}</a></li>");
            let list: String = items.iter().map(item).collect();
            vec![at(first, format!("<ul class=related>{list}</ul>"))]
        }
        Noise::Counters => {
            let views = 10_000 + page * 37 + load.below(200);
            vec![at(first, format!("<span class=views>{views} views</span>"))]
        }
        Noise::Translation => translation(places, html),
    }
}

fn translation(places: &Places, html: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    for range in &places.texts {
        let text = html.get(range.clone()).unwrap_or_default();
        let word = text.trim().to_lowercase();
        let found = INTERFACE.iter().find(|(english, _)| *english == word);
        edits.extend(found.map(|(_, german)| (range.clone(), (*german).to_owned())));
    }
    edits
}

/// The edits of one forgery; none where the page has nothing of the kind.
pub fn forge(forgery: Forgery, places: &Places, html: &str, chance: &mut Chance) -> Vec<Edit> {
    let gap = chance.pick(&places.gaps).copied().unwrap_or(html.len());
    let at = |gap: usize, text: &str| vec![(gap..gap, text.to_owned())];
    match forgery {
        Forgery::Number => number(places, html, chance).into_iter().collect(),
        Forgery::Link => {
            let link = chance.pick(&places.links).cloned();
            link.map(|link| (link, "https://elsewhere.example/buy".to_owned()))
                .into_iter()
                .collect()
        }
        Forgery::Paragraph => paragraph(places, html, chance).into_iter().collect(),
        Forgery::Insertion => {
            at(gap, &format!("<p>{}</p>", chance.pick(&SENTENCES).copied().unwrap_or_default()))
        }
        Forgery::Script if chance.below(2) == 0 => {
            at(gap, "<script src='//inject.example/i.js'></script>")
        }
        Forgery::Script => at(gap, "<script>(function(){window.top.location=u()})()</script>"),
        Forgery::Frame => at(gap, "<iframe src='https://inject.example/f' width=0></iframe>"),
        Forgery::OldCopy => {
            let mut edits: Vec<Edit> = Vec::new();
            for _ in 0..3 {
                edits.extend(number(places, html, chance));
                edits.extend(paragraph(places, html, chance));
            }
            edits
        }
    }
}

fn number(places: &Places, html: &str, chance: &mut Chance) -> Option<Edit> {
    let has_digit = |range: &&std::ops::Range<usize>| digit(html, range).is_some();
    let numbers: Vec<_> = places.texts.iter().filter(has_digit).collect();
    let range = chance.pick(&numbers)?;
    let at = digit(html, range)?;
    let other = match html.get(at..=at)? {
        "9" => "1",
        "1" => "7",
        _ => "9",
    };
    Some((at..at + 1, other.to_owned()))
}

/// Where the first digit of a text is that is no part of a character reference.
fn digit(html: &str, range: &std::ops::Range<usize>) -> Option<usize> {
    let text = html.get(range.clone())?;
    let mut reference = false;
    text.bytes().enumerate().find_map(|(n, byte)| {
        match byte {
            b'&' => reference = true,
            b';' | b' ' => reference = false,
            _ => {}
        }
        (byte.is_ascii_digit() && !reference).then_some(range.start + n)
    })
}

fn paragraph(places: &Places, html: &str, chance: &mut Chance) -> Option<Edit> {
    let is_long = |range: &&std::ops::Range<usize>| {
        html.get((*range).clone()).is_some_and(|text| text.trim().chars().count() >= 60)
    };
    let long: Vec<_> = places.texts.iter().filter(is_long).collect();
    let range = chance.pick(&long)?;
    Some(((*range).clone(), (*chance.pick(&SENTENCES)?).to_owned()))
}
