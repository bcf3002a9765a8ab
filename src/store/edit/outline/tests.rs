//! Outlines of texts that try to look like something else.

use super::*;

/// Each section as `kind[+] first line of its comments .. last line`, lines without their ends.
fn sections(text: &str) -> Vec<String> {
    let line = |range: Range<usize>| text.get(range).unwrap().lines().next().unwrap_or_default().to_owned();
    let describe = |section: &Section| {
        let last = text
            .get(..section.end)
            .unwrap()
            .trim_end_matches(['\r', '\n'])
            .lines()
            .next_back()
            .unwrap_or_default();
        let kind = section.kind.map_or("-", Kind::key);
        let opens = if section.opens { "" } else { "+" };
        format!(
            "{kind}{opens} {} | {} | {last}",
            line(section.lead..section.end),
            line(section.header..section.end)
        )
    };
    Outline::of(text).sections.iter().map(describe).collect()
}

#[test]
fn comments_belong_to_the_table_that_they_touch() {
    let text = "# top\n\n[server]\na = 1 # x\n# inside\n\n# apart\n\n# own\n# too\n[[ip_acl]]\nname = \"a\"\n# next's\n[[api_key]]\n";
    let expected = [
        "-+ [server] | [server] | # inside",
        "ip_acl # own | [[ip_acl]] | name = \"a\"",
        "api_key # next's | [[api_key]] | [[api_key]]",
    ];
    assert_eq!(sections(text), expected);
}

#[test]
fn what_looks_like_a_header_is_none() {
    let text = concat!(
        "[[ip_acl]]\n",
        "data = [\n[[1]],\n  # ]]\n[2], \"]\", ']', \"\\\"]\",\n]\n",
        "text = \"\"\"\n[[api_key]]\n\\\"\"\" [x]\"\"\"\"\"\n",
        "raw = '''\n[[tenant]]\n'' ''''\n",
        "table = { a = [\n[[path]]\n], # }\n}\n",
        "\"[[path]]\" = 1\n",
        "  [[ api_key ]] # see [x] and \"\n",
        "[[\"tenant\"]]\n",
        "[ip_acl . data]\n",
        "[\"ip_acl\".'data'.more]\n",
        "[admin]\n[[admin.api_keys]]\n[policy.x]\n",
    );
    let expected = [
        "ip_acl [[ip_acl]] | [[ip_acl]] | \"[[path]]\" = 1",
        "api_key   [[ api_key ]] # see [x] and \" |   [[ api_key ]] # see [x] and \" |   [[ api_key ]] # see [x] and \"",
        "tenant [[\"tenant\"]] | [[\"tenant\"]] | [[\"tenant\"]]",
        "ip_acl+ [ip_acl . data] | [ip_acl . data] | [ip_acl . data]",
        "ip_acl+ [\"ip_acl\".'data'.more] | [\"ip_acl\".'data'.more] | [\"ip_acl\".'data'.more]",
        "admin [admin] | [admin] | [admin]",
        "admin+ [[admin.api_keys]] | [[admin.api_keys]] | [[admin.api_keys]]",
        "-+ [policy.x] | [policy.x] | [policy.x]",
    ];
    assert_eq!(sections(text), expected);
}

#[test]
fn carriage_returns_byte_order_marks_and_missing_line_ends_are_fine() {
    let text = "\u{feff}# top\r\n[[ip_acl]]\r\nname = \"a\"\r\n\r\n[[api_key]]\r\nname = \"k\"";
    let expected =
        ["ip_acl # top | [[ip_acl]] | name = \"a\"", "api_key [[api_key]] | [[api_key]] | name = \"k\""];
    assert_eq!(sections(text), expected);
    assert_eq!(sections(""), [""; 0]);
    assert_eq!(sections("a = \"\"\"\nnever closed"), [""; 0]);
}

#[test]
fn a_table_has_its_parts_wherever_they_stand() {
    let text = "[[ip_acl]]\n[[ip_acl]]\n[server]\n[ip_acl.data]\n[[ip_acl]]\n";
    let outline = Outline::of(text);
    let parts = |nth| outline.table(Kind::IpAcl, nth).map(|section| section.header).collect::<Vec<_>>();
    assert_eq!(outline.count(Kind::IpAcl), 3);
    assert_eq!((parts(0), parts(1), parts(2), parts(3)), (vec![0], vec![11, 31], vec![45], vec![]));
}
