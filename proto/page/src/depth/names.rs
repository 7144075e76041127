//! Which element names the tree construction treats alike.
//!
//! Decides nothing by itself: these are the sets of the HTML standard, sections 13.2.4.2 and 13.2.6.

/// What a start tag does to the stack of open elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Never on the stack, and nothing is re-opened for it.
    Outside,
    /// Never on the stack, but text-like: unclosed formatting is re-opened before it.
    VoidInline,
    /// `hr`: never on the stack, closes a paragraph.
    Rule,
    /// `input`: as [`Kind::VoidInline`], and it closes a `select`.
    Input,
    /// Its content is text up to its end tag.
    Raw,
    /// As raw, by the rules for scripts.
    Script,
    /// All that follows is text.
    Plain,
    /// Closes a paragraph.
    Block,
    /// `h1` to `h6`.
    Heading,
    /// `li`, `dd`, `dt`.
    Item,
    /// `a`, `b` and others that are re-opened when a block ends before they do.
    Formatting,
    /// `button`: closes a button.
    Button,
    /// `form`: does not nest.
    Form,
    /// `applet`, `marquee`, `object`, `template`: bounds the formatting.
    Marked,
    /// `select`: closes a select.
    Select,
    /// `option` and `optgroup`.
    Option,
    /// `rb`, `rp`, `rt`, `rtc`.
    Ruby,
    /// `table`.
    Table,
    /// `caption`, `colgroup`, `tbody`, `thead`, `tfoot`.
    Section,
    /// `tr`.
    Row,
    /// `td`, `th`.
    Cell,
    /// `svg`, `math`.
    Foreign,
    /// Everything else.
    Other,
}

/// A table of which it is not known whether the parser ignores it; no tag has such a name.
pub(super) const DOUBTFUL_TABLE: &[u8] = b"table ";

/// What a start tag of this name does.
pub(super) fn kind(name: &[u8]) -> Kind {
    match name {
        b"html" | b"head" | b"body" | b"frameset" | b"frame" | b"base" | b"basefont"
        | b"bgsound" | b"link" | b"meta" | b"param" | b"source" | b"track" | b"col" => {
            Kind::Outside
        }
        b"area" | b"br" | b"embed" | b"img" | b"image" | b"keygen" | b"wbr" => Kind::VoidInline,
        b"hr" => Kind::Rule,
        b"input" => Kind::Input,
        b"style" | b"title" | b"textarea" | b"xmp" | b"iframe" | b"noembed" | b"noframes"
        | b"noscript" => Kind::Raw,
        b"script" => Kind::Script,
        b"plaintext" => Kind::Plain,
        b"address" | b"article" | b"aside" | b"blockquote" | b"center" | b"details" | b"dialog"
        | b"dir" | b"div" | b"dl" | b"fieldset" | b"figcaption" | b"figure" | b"footer"
        | b"header" | b"hgroup" | b"main" | b"menu" | b"nav" | b"ol" | b"p" | b"search"
        | b"section" | b"summary" | b"ul" | b"pre" | b"listing" => Kind::Block,
        b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => Kind::Heading,
        b"li" | b"dd" | b"dt" => Kind::Item,
        b"a" | b"b" | b"big" | b"code" | b"em" | b"font" | b"i" | b"nobr" | b"s" | b"small"
        | b"strike" | b"strong" | b"tt" | b"u" => Kind::Formatting,
        b"button" => Kind::Button,
        b"form" => Kind::Form,
        b"applet" | b"marquee" | b"object" | b"template" => Kind::Marked,
        b"select" => Kind::Select,
        b"option" | b"optgroup" => Kind::Option,
        b"rb" | b"rp" | b"rt" | b"rtc" => Kind::Ruby,
        b"table" => Kind::Table,
        b"caption" | b"colgroup" | b"tbody" | b"thead" | b"tfoot" => Kind::Section,
        b"tr" => Kind::Row,
        b"td" | b"th" => Kind::Cell,
        b"svg" | b"math" => Kind::Foreign,
        _ => Kind::Other,
    }
}

/// Elements that an end tag of another, ordinary name does not close.
pub(super) fn is_special(name: &[u8]) -> bool {
    match kind(name) {
        Kind::Outside
        | Kind::Rule
        | Kind::Input
        | Kind::Raw
        | Kind::Script
        | Kind::Plain
        | Kind::Block
        | Kind::Heading
        | Kind::Item
        | Kind::Button
        | Kind::Form
        | Kind::Marked
        | Kind::Select
        | Kind::Table
        | Kind::Section
        | Kind::Row
        | Kind::Cell => !matches!(name, b"dialog" | b"search"),
        Kind::VoidInline => name != b"image",
        Kind::Other => name == DOUBTFUL_TABLE,
        Kind::Formatting | Kind::Option | Kind::Ruby | Kind::Foreign => false,
    }
}

/// Elements beyond which most end tags do not look.
pub(super) fn bounds_scope(name: &[u8]) -> bool {
    name == DOUBTFUL_TABLE
        || matches!(
            name,
            b"applet"
                | b"caption"
                | b"html"
                | b"table"
                | b"td"
                | b"th"
                | b"marquee"
                | b"object"
                | b"select"
                | b"template"
        )
}

/// Elements whose end tags may be left out.
pub(super) fn ends_by_itself(name: &[u8]) -> bool {
    matches!(
        name,
        b"dd" | b"dt" | b"li" | b"option" | b"optgroup" | b"p" | b"rb" | b"rp" | b"rt" | b"rtc"
    )
}

/// HTML start tags that end a drawing or formula which contains them.
pub(super) fn breaks_out(name: &[u8], source: &[u8]) -> bool {
    let has = |attribute: &[u8]| source.windows(attribute.len()).any(|part| part == attribute);
    match name {
        b"b" | b"big" | b"blockquote" | b"body" | b"br" | b"center" | b"code" | b"dd" | b"div"
        | b"dl" | b"dt" | b"em" | b"embed" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6"
        | b"head" | b"hr" | b"i" | b"img" | b"li" | b"listing" | b"menu" | b"meta" | b"nobr"
        | b"ol" | b"p" | b"pre" | b"ruby" | b"s" | b"small" | b"span" | b"strong" | b"strike"
        | b"sub" | b"sup" | b"table" | b"tt" | b"u" | b"ul" | b"var" => true,
        b"font" => has(b"color") || has(b"face") || has(b"size"),
        _ => false,
    }
}
