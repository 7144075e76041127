//! What kind of page a page is.
//!
//! Decides by features that are cheap to count: what it declares in `og:type` and in JSON-LD, which programs made it,
//! how much is code or links. Never learns; what nothing speaks for is an article.

use crate::document::Page;
use crate::walk::{Step, Walk, element};

/// JSON-LD types and the page type they speak for, the more telling first (schema.org).
const DECLARED: [(&str, &str); 13] = [
    ("DiscussionForumPosting", "forum"),
    ("QAPage", "forum"),
    ("TechArticle", "documentation"),
    ("APIReference", "documentation"),
    ("NewsArticle", "article"),
    ("BlogPosting", "article"),
    ("ProductGroup", "product"),
    ("Product", "product"),
    ("CollectionPage", "collection"),
    ("ItemList", "collection"),
    ("Article", "article"),
    ("ProfessionalService", "service"),
    ("Service", "service"),
];

/// Programs that make documentation or forums, as `meta generator` names them.
const GENERATORS: [(&str, &str); 11] = [
    ("docusaurus", "documentation"),
    ("sphinx", "documentation"),
    ("mkdocs", "documentation"),
    ("javadoc", "documentation"),
    ("rustdoc", "documentation"),
    ("mdbook", "documentation"),
    ("vitepress", "documentation"),
    ("discourse", "forum"),
    ("phpbb", "forum"),
    ("vbulletin", "forum"),
    ("xenforo", "forum"),
];

/// The most JSON-LD that is searched, in bytes.
const MAX_JSON_LD: usize = 65_536;

impl Page {
    /// One of `article`, `documentation`, `forum`, `product`, `listing`, `collection`, `service`.
    #[must_use]
    pub fn page_type(&self) -> &'static str {
        let generator = self.meta("generator").unwrap_or_default().to_ascii_lowercase();
        let made_by = GENERATORS.iter().find(|(program, _)| generator.contains(program));
        if let Some((_, kind)) = made_by {
            return kind;
        }
        let json_ld = self.json_ld();
        let declares = |kind: &str| json_ld.contains(&format!("\"@type\":\"{kind}\""));
        if let Some((_, kind)) = DECLARED.iter().find(|(name, _)| declares(name)) {
            return kind;
        }
        match self.meta("og:type").unwrap_or_default() {
            "product" | "og:product" | "product.item" => return "product",
            "article" => return "article",
            _ => {}
        }
        self.by_shape()
    }

    /// By how much of the text is in links and in the main part.
    fn by_shape(&self) -> &'static str {
        let count = |name: &str| self.elements().filter(|element| element.name() == name).count();
        if count("pre") >= 3 {
            return "documentation";
        }
        let lines = self.main_lines();
        let prose = lines.iter().filter(|line| line.text.len() >= 200).count();
        let links = count("a");
        if prose == 0 && links > 100 {
            return "listing";
        }
        if prose < 3 && count("article") > 3 {
            return "listing";
        }
        if prose < 3 && count("time") == 0 && count("form") > 0 { "service" } else { "article" }
    }

    fn meta(&self, name: &str) -> Option<&str> {
        let mut metas = self.elements().filter(|element| element.name() == "meta");
        metas.find_map(|meta| {
            let named = meta.attr("property").or_else(|| meta.attr("name"))?;
            named
                .trim()
                .eq_ignore_ascii_case(name)
                .then(|| meta.attr("content").unwrap_or_default().trim())
        })
    }

    /// The JSON-LD of the page without white space.
    fn json_ld(&self) -> String {
        let mut text = String::new();
        for step in Walk::new(self.root()) {
            let Step::Enter(node) = step else { continue };
            let is_json = element(node).is_some_and(|element| {
                element.name() == "script" && element.attr("type") == Some("application/ld+json")
            });
            let Some(json) = node.first_child().filter(|_| is_json) else { continue };
            let json = json.value().as_text().map_or("", |json| json);
            text.extend(json.chars().filter(|c| !c.is_whitespace()).take(MAX_JSON_LD));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(html: &str) -> &'static str {
        Page::parse(html).expect("a page").page_type()
    }

    #[test]
    fn declared_types_hold() {
        assert_eq!(kind("<meta name=generator content='Docusaurus v3'>"), "documentation");
        assert_eq!(
            kind("<script type=application/ld+json>{\"@type\" : \"Product\"}</script>"),
            "product"
        );
        assert_eq!(kind("<meta property=og:type content=article>"), "article");
        assert_eq!(kind("<pre>a</pre><pre>b</pre><pre>c</pre>"), "documentation");
        assert_eq!(kind(&"<li><a href=x>y</a>".repeat(200)), "listing");
        assert_eq!(kind("<p>hello"), "article");
    }
}
