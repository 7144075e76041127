//! How many of a page's links are attested.
//!
//! Decides where the list is cut so that an upload can carry it: `sward-page` bounds their number, this their bytes.
//! This is the one place, and the digest is taken after it. Never changes the order.

use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::wire::bounds::MAX_LINKS_BYTES;

/// The longest beginning of `links` that [`MAX_LINKS_BYTES`] allows, counted as the wire counts: the URLs' bytes.
pub(super) fn cut(mut links: Vec<CanonicalUrl>) -> Vec<CanonicalUrl> {
    let mut bytes = 0;
    let fits = links.iter().take_while(|link| {
        bytes += link.as_str().len();
        bytes <= MAX_LINKS_BYTES
    });
    let kept = fits.count();
    links.truncate(kept);
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_cut_at_the_first_link_that_does_not_fit() {
        let link = |length: usize| {
            let path = "a".repeat(length - "http://a.example/".len());
            format!("http://a.example/{path}").parse::<CanonicalUrl>().expect("a url")
        };
        let full: Vec<CanonicalUrl> = (0..128).map(|_| link(4096)).collect();
        assert_eq!(cut(full.clone()), full);
        let over = [full.clone(), vec![link(20)]].concat();
        assert_eq!(cut(over), full);
        let gap = [vec![link(8192); 63], vec![link(8000), link(200), link(20)]].concat();
        assert_eq!(cut(gap).len(), 64);
    }
}
