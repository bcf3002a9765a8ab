//! Which of the two text formats a scraper gets, and the older one made of the newer.
//!
//! In: the values of `Accept`, and OpenMetrics text. Out: a [`Format`], and Prometheus' text format 0.0.4. The choice is
//! that of Prometheus' own client libraries: OpenMetrics only for whoever names it before (by weight, RFC 9110 §12.4.2)
//! `text/plain`; to everybody else, browsers and `curl` among them, the older format.
//!
//! Between the two: counters and infos carry `_total` and `_info` in the name of the family (an info is a gauge that
//! is 1), and there is no `# EOF`. Samples are the same.

use http::HeaderMap;
use http::header::ACCEPT;

/// A text format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Prometheus' text format, 0.0.4.
    Classic,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Classic, Self::OpenMetrics];

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// What a request accepts.
    pub fn accepted(headers: &HeaderMap) -> Self {
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut wishes: Vec<(f32, Self)> =
            values.flat_map(|value| value.split(',')).filter_map(wish).collect();
        // Stable: of equal weights the first.
        wishes.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        wishes.first().map_or(Self::Classic, |(_, format)| *format)
    }
}

/// One media range, if it asks for something that there is.
fn wish(range: &str) -> Option<(f32, Format)> {
    let mut parts = range.split(';').map(str::trim);
    let media_type = parts.next()?.to_ascii_lowercase();
    let (mut weight, mut version) = (1.0, None);
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => weight = value.trim().parse::<f32>().ok().filter(|weight| *weight > 0.0)?,
            "version" => version = Some(value.trim().trim_matches('"')),
            _ => {}
        }
    }
    let format = match (media_type.as_str(), version) {
        ("application/openmetrics-text", None | Some("1.0.0")) => Format::OpenMetrics,
        ("text/plain", None | Some("0.0.4")) => Format::Classic,
        _ => return None,
    };
    Some((weight, format))
}

/// OpenMetrics text as Prometheus' text format 0.0.4.
pub(super) fn classic(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            help = described.split_once(' ').map(|(_, words)| words);
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|described| described.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", kind),
                "info" => ("_info", "gauge"),
                _ => ("", kind),
            };
            let words = help.take().unwrap_or_default();
            text.push_str(&format!("# HELP {name}{suffix} {words}\n# TYPE {name}{suffix} {kind}\n"));
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                          application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1";
        let cases = [
            ("", Format::Classic),
            ("*/*", Format::Classic),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Classic),
            (prometheus, Format::OpenMetrics),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\"", Format::OpenMetrics),
            ("application/openmetrics-text; version=0.0.1", Format::Classic),
            ("application/openmetrics-text; version=2.0.0", Format::Classic),
            ("application/openmetrics-text;q=0", Format::Classic),
            ("application/openmetrics-text;q=NaN", Format::Classic),
            ("application/openmetrics-text;q=0.4, text/plain;version=0.0.4;q=0.5", Format::Classic),
            ("text/plain, application/openmetrics-text", Format::Classic),
            ("application/openmetrics-text, text/plain", Format::OpenMetrics),
            ("nonsense;;=,,;q=x", Format::Classic),
        ];
        for (accept, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(Format::accepted(&headers), expected, "{accept}");
        }
        let mut headers = HeaderMap::new();
        assert_eq!(Format::accepted(&headers), Format::Classic);
        headers.append(ACCEPT, "text/plain;q=0.1".parse().unwrap());
        headers.append(ACCEPT, "application/openmetrics-text;q=0.2".parse().unwrap());
        assert_eq!(Format::accepted(&headers), Format::OpenMetrics);
    }

    #[test]
    fn the_older_format() {
        let new = "# HELP a Words # TYPE.\n# TYPE a counter\na_total{x=\"# y\"} 1\n# HELP b B.\n# TYPE b info\n\
                   b_info{v=\"1\"} 1\n# HELP c C.\n# TYPE c gauge\n# UNIT c seconds\nc 1.5\n# EOF\n";
        let old = "# HELP a_total Words # TYPE.\n# TYPE a_total counter\na_total{x=\"# y\"} 1\n# HELP b_info B.\n\
                   # TYPE b_info gauge\nb_info{v=\"1\"} 1\n# HELP c C.\n# TYPE c gauge\nc 1.5\n";
        assert_eq!(classic(new), old);
    }
}
