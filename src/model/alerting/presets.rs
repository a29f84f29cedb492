//! What the built-in HTTP channels send: data only, from what each API documents.
//!
//! Templates know the fields of a message (`docs/channels.md`), `to` for the address, `access_token`
//! for an exchanged token, and the values of the channel by name.

use std::time::Duration;

use super::channel::{HttpChannel, Success, TokenExchange};
use crate::model::secret::Secret;
use crate::model::text::Pattern;

/// Least time between two messages to one mobile number: carriers cut off whoever sends more.
const SMS_GAP: Duration = Duration::from_mins(1);

/// Least time between two messages to one chat; most allow one a second.
const CHAT_GAP: Duration = Duration::from_secs(1);

/// Seven bits of GSM 03.38 hold 160 characters.
const SMS_CHARS_MAX: usize = 160;

/// What templates know of every message, and its address.
pub const FIELDS: &[&str] = &[
    "key",
    "incident",
    "purpose",
    "severity",
    "subject",
    "text",
    "html",
    "short",
    "ack_url",
    "incident_url",
    "system",
    "to",
];

/// What templates know besides [`FIELDS`] on channels whose token is exchanged.
pub const ACCESS_TOKEN: &str = "access_token";

/// Filters of templates, besides those of the engine.
pub const FILTERS: &[&str] = &["json", "form", "xml", "markdown", "unaccent", "cut"];

/// What a contact's address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// It must be there, and its form is not known here: a chat id, a user id.
    Needed,
    /// A mobile number, sent as `84912345678`.
    Phone,
    /// The channel's URL says where messages go; `-` if nothing is written.
    Optional,
}

/// What the answer must be, as data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Must {
    /// A 2xx.
    Status,
    /// This JSONPath gives one of these.
    Json(&'static str, &'static [&'static str]),
    /// This pattern is in the body.
    Matches(&'static str),
}

/// A kind of HTTP channel whose request is known.
#[derive(Debug)]
pub struct Preset {
    /// Its `kind` in the configuration.
    pub kind: &'static str,
    /// Where it sends if nothing else is written; `None`: a URL must be written.
    pub base: Option<&'static str>,
    /// Template of what follows the base.
    path: &'static str,
    /// Templates of headers, besides the content type.
    headers: &'static [(&'static str, &'static str)],
    /// Template of the body.
    body: &'static str,
    /// The content type of the body.
    content_type: &'static str,
    must: Must,
    text_chars_max: usize,
    /// Least time between two messages to one address, if nothing else is written.
    pub min_gap: Duration,
    /// What addresses are.
    pub address: Address,
}

/// What a channel of a preset has besides it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Where to send instead of the preset's base.
    pub url: Option<Secret>,
    /// Values for the templates, by name.
    pub values: Vec<(String, Secret)>,
    /// More headers.
    pub headers: Vec<(String, Secret)>,
    /// Signs bodies.
    pub signing_key: Option<Secret>,
    /// A token that is exchanged.
    pub token: Option<TokenExchange>,
    /// Parameters of a ZNS template, each a template; empty: [`ZNS_DATA`].
    pub data: Vec<(String, String)>,
}

/// Where Zalo exchanges tokens.
pub const ZALO_OAUTH_URL: &str = "https://oauth.zaloapp.com/v4/oa/access_token";

/// Parameters of a ZNS template if none are written.
pub const ZNS_DATA: &[(&str, &str)] =
    &[("ma", "{{ incident }}"), ("he_thong", "{{ system }}"), ("noi_dung", "{{ subject }}")];

const JSON: &str = "application/json; charset=utf-8";

/// Every preset.
pub static PRESETS: &[Preset] = &[
    Preset {
        kind: "webhook",
        base: None,
        path: "",
        headers: &[],
        body: concat!(
            r#"{"version":1,"key":{{ key|json }},"incident":{{ incident|json }},"#,
            r#""purpose":{{ purpose|json }},"severity":{{ severity|json }},"#,
            r#""system":{{ system|json }},"to":{{ to|json }},"subject":{{ subject|json }},"#,
            r#""text":{{ text|json }},"short":{{ short|json }},"ack_url":{{ ack_url|json }},"#,
            r#""incident_url":{{ incident_url|json }}}"#
        ),
        content_type: JSON,
        must: Must::Status,
        text_chars_max: 20_000,
        min_gap: Duration::ZERO,
        address: Address::Optional,
    },
    Preset {
        kind: "zalo-bot",
        base: Some("https://bot-api.zaloplatforms.com"),
        path: "/bot{{ token }}/sendMessage",
        headers: &[],
        body: r#"{"chat_id":{{ to|json }},"text":{{ text|json }}}"#,
        content_type: JSON,
        must: Must::Json("$.ok", &["true"]),
        text_chars_max: 2_000,
        min_gap: CHAT_GAP,
        address: Address::Needed,
    },
    // An address that begins with `group:` is a group (GMF), any other a user.
    Preset {
        kind: "zalo-oa",
        base: Some("https://openapi.zalo.me"),
        path: concat!(
            r#"/v3.0/oa/{% if to is startingwith "group:" %}group/message"#,
            "{% else %}message/cs{% endif %}"
        ),
        headers: &[("access_token", "{{ access_token }}")],
        body: concat!(
            r#"{"recipient":{ {% if to is startingwith "group:" %}"group_id":{{ to[6:]|json }}"#,
            r#"{% else %}"user_id":{{ to|json }}{% endif %}},"message":{"text":{{ text|json }}}}"#
        ),
        content_type: JSON,
        must: Must::Json("$.error", &["0"]),
        text_chars_max: 2_000,
        min_gap: CHAT_GAP,
        address: Address::Needed,
    },
    // `template_data` is put in by `preset`.
    Preset {
        kind: "zalo-zns",
        base: Some("https://business.openapi.zalo.me"),
        path: "/message/template",
        headers: &[("access_token", "{{ access_token }}")],
        body: concat!(
            r#"{"phone":{{ to|json }},"template_id":{{ template|json }},"template_data":{@data},"#,
            r#""tracking_id":{{ (incident ~ "-" ~ purpose)|json }}}"#
        ),
        content_type: JSON,
        must: Must::Json("$.error", &["0"]),
        text_chars_max: 400,
        min_gap: SMS_GAP,
        address: Address::Phone,
    },
    Preset {
        kind: "sms-viettel",
        base: Some("https://ams.tinnhanthuonghieu.vn:8998/bulkapi?wsdl"),
        path: "",
        headers: &[("soapaction", "\"\"")],
        body: concat!(
            r#"<?xml version="1.0" encoding="UTF-8"?>"#,
            r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" "#,
            r#"xmlns:impl="http://impl.bulkSms.ws/"><soapenv:Header/><soapenv:Body><impl:wsCpMt>"#,
            "<User>{{ user|xml }}</User><Password>{{ password|xml }}</Password>",
            "<CPCode>{{ cp_code|xml }}</CPCode><RequestID>1</RequestID>",
            "<UserID>{{ to|xml }}</UserID><ReceiverID>{{ to|xml }}</ReceiverID>",
            "<ServiceID>{{ brand|xml }}</ServiceID><CommandCode>bulksms</CommandCode>",
            "<Content>{{ short|xml }}</Content><ContentType>0</ContentType>",
            "</impl:wsCpMt></soapenv:Body></soapenv:Envelope>"
        ),
        content_type: "text/xml; charset=utf-8",
        must: Must::Matches(r"<(\w+:)?result>\s*1\s*</"),
        text_chars_max: SMS_CHARS_MAX,
        min_gap: SMS_GAP,
        address: Address::Phone,
    },
    // Its template has one parameter; characters that XML knows are refused there (error -1).
    Preset {
        kind: "sms-vnpt",
        base: None,
        path: "",
        headers: &[],
        body: concat!(
            r#"{"RQST":{"name":"send_sms_list","REQID":{{ key|json }},"LABELID":{{ brand|json }},"#,
            r#""CONTRACTTYPEID":{{ contract_type|json }},"CONTRACTID":{{ contract|json }},"#,
            r#""TEMPLATEID":{{ template|json }},"PARAMS":[{"NUM":"1","CONTENT":"#,
            r#"{{ short|replace("&", "va")|replace("<", "(")|replace(">", ")")|replace('"', "")"#,
            r#"|replace("'", "")|json }}}],"SCHEDULETIME":"","MOBILELIST":{{ to|json }},"#,
            r#""ISTELCOSUB":"0","AGENTID":{{ agent|json }},"APIUSER":{{ user|json }},"#,
            r#""APIPASS":{{ password|json }},"USERNAME":{{ account|json }},"DATACODING":"0"}}"#
        ),
        content_type: JSON,
        must: Must::Json("$.RPLY.ERROR", &["\"0\"", "0"]),
        text_chars_max: SMS_CHARS_MAX,
        min_gap: SMS_GAP,
        address: Address::Phone,
    },
    // SmsType 2: to customers, under a brand.
    Preset {
        kind: "sms-esms",
        base: Some("https://rest.esms.vn"),
        path: "/MainService.svc/json/SendMultipleMessage_V4_post_json/",
        headers: &[],
        body: concat!(
            r#"{"ApiKey":{{ user|json }},"SecretKey":{{ password|json }},"#,
            r#""Brandname":{{ brand|json }},"SmsType":"2","IsUnicode":"0","#,
            r#""Phone":{{ to|json }},"Content":{{ short|json }},"RequestId":{{ key|json }}}"#
        ),
        content_type: JSON,
        must: Must::Json("$.CodeResult", &["\"100\"", "100"]),
        text_chars_max: SMS_CHARS_MAX,
        min_gap: SMS_GAP,
        address: Address::Phone,
    },
    // The URL of a workflow ("when a webhook request is received"); connectors are gone.
    Preset {
        kind: "teams",
        base: None,
        path: "",
        headers: &[],
        body: concat!(
            r#"{"type":"message","attachments":[{"contentType":"#,
            r#""application/vnd.microsoft.card.adaptive","content":{"#,
            r#""$schema":"http://adaptivecards.io/schemas/adaptive-card.json","#,
            r#""type":"AdaptiveCard","version":"1.4","body":[{"type":"TextBlock","#,
            r#""size":"medium","weight":"bolder","wrap":true,"text":{{ subject|markdown|json }}},"#,
            r#"{"type":"TextBlock","wrap":true,"#,
            r#""text":{{ text|markdown|replace("\n", "\n\n")|json }}}],"#,
            r#""actions":[{% if ack_url %}{"type":"Action.OpenUrl","title":"Tiếp nhận","#,
            r#""url":{{ ack_url|json }}}{% if incident_url %},{% endif %}{% endif %}"#,
            r#"{% if incident_url %}{"type":"Action.OpenUrl","title":"Xem sự cố","#,
            r#""url":{{ incident_url|json }}}{% endif %}]}}]}"#
        ),
        content_type: JSON,
        must: Must::Status,
        text_chars_max: 4_000,
        min_gap: CHAT_GAP,
        address: Address::Optional,
    },
    // `&`, `<` and `>` are markup; an address such as `<@U024BE7LH>` is a mention.
    Preset {
        kind: "slack",
        base: None,
        path: "",
        headers: &[],
        body: concat!(
            r#"{"text":{{ ((to ~ " " if to != "-" else "") ~ "#,
            r#"text|replace("&", "&amp;")|replace("<", "&lt;")|replace(">", "&gt;"))|json }},"#,
            r#""unfurl_links":false,"unfurl_media":false}"#
        ),
        content_type: JSON,
        must: Must::Matches(r"^\s*ok\s*$"),
        text_chars_max: 4_000,
        min_gap: CHAT_GAP,
        address: Address::Optional,
    },
    // An address is a channel's name, or `@name` for a person.
    Preset {
        kind: "mattermost",
        base: None,
        path: "",
        headers: &[],
        body: concat!(
            r#"{"text":{{ text|markdown|json }}"#,
            r#"{% if to != "-" %},"channel":{{ to|json }}{% endif %}}"#
        ),
        content_type: JSON,
        must: Must::Matches(r"^\s*ok\s*$"),
        // Twice as many at most with what is escaped; the server takes 16,383.
        text_chars_max: 8_000,
        min_gap: CHAT_GAP,
        address: Address::Optional,
    },
    Preset {
        kind: "telegram",
        base: Some("https://api.telegram.org"),
        path: "/bot{{ token }}/sendMessage",
        headers: &[],
        body: concat!(
            r#"{"chat_id":{{ to|json }},"text":{{ text|json }},"#,
            r#""link_preview_options":{"is_disabled":true}}"#
        ),
        content_type: JSON,
        must: Must::Json("$.ok", &["true"]),
        text_chars_max: 4_096,
        min_gap: CHAT_GAP,
        address: Address::Needed,
    },
];

/// The preset called `kind`.
#[must_use]
pub fn find(kind: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|it| it.kind == kind)
}

/// The channel that `kind` makes with `settings`; `None` if there is no such preset, or if it
/// needs a URL and has none.
#[must_use]
pub fn preset(kind: &str, settings: Settings) -> Option<HttpChannel> {
    let preset = find(kind)?;
    let base = match &settings.url {
        Some(url) => url.reveal(),
        None => preset.base?,
    };
    let base = if preset.path.is_empty() { base } else { base.trim_end_matches('/') };
    let fixed = preset.headers.iter();
    let fixed = fixed.map(|(name, value)| ((*name).to_owned(), Secret::new((*value).to_owned())));
    Some(HttpChannel {
        preset: preset.kind,
        url: Secret::new(format!("{base}{}", preset.path)),
        method: "POST".to_owned(),
        headers: fixed.chain(settings.headers).collect(),
        body: Secret::new(preset.body.replace("@data", &data(&settings.data))),
        content_type: preset.content_type.to_owned(),
        signing_key: settings.signing_key,
        success: preset.must.success()?,
        values: settings.values,
        token: settings.token,
        text_chars_max: preset.text_chars_max,
    })
}

/// Members of `template_data`: each name with a template whose text becomes a JSON string.
fn data(written: &[(String, String)]) -> String {
    let member = |name: &str, template: &str| {
        let name = serde_json::Value::from(name);
        format!("{name}:{{% filter json %}}{template}{{% endfilter %}}")
    };
    let members: Vec<_> = if written.is_empty() {
        ZNS_DATA.iter().map(|(name, template)| member(name, template)).collect()
    } else {
        written.iter().map(|(name, template)| member(name, template)).collect()
    };
    members.join(",")
}

impl Must {
    fn success(self) -> Option<Success> {
        Some(match self {
            Self::Status => Success::Status,
            Self::Json(path, equals) => Success::Json {
                path: path.to_owned(),
                equals: equals.iter().map(|it| (*it).to_owned()).collect(),
            },
            Self::Matches(pattern) => Success::Matches(Pattern::new(pattern).ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            url: Some(Secret::new("http://127.0.0.1:1/x/".to_owned())),
            ..Settings::default()
        }
    }

    #[test]
    fn every_preset_makes_a_channel_and_shows_nothing() {
        for it in PRESETS {
            let channel = preset(it.kind, settings()).unwrap_or_else(|| panic!("{}", it.kind));
            assert_eq!(channel.preset, it.kind);
            assert!(channel.url.reveal().starts_with("http://127.0.0.1:1/x"), "{}", it.kind);
            assert!(!channel.body.reveal().contains('@') || it.kind != "zalo-zns");
            assert_eq!(preset(it.kind, Settings::default()).is_some(), it.base.is_some());
        }
        assert_eq!(preset("pigeon", settings()), None);
    }

    /// Bodies as the sending part fills them.
    fn rendered(channel: &HttpChannel, to: &str) -> String {
        let body = channel.body.reveal().to_owned();
        let mut engine = minijinja::Environment::new();
        engine.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        engine.add_filter("json", |text: String| serde_json::Value::from(text).to_string());
        engine.add_filter("markdown", |text: String| text);
        engine.add_filter("xml", |text: String| text.replace('&', "&amp;").replace('<', "&lt;"));
        let text = "VNeID \"<&>'\n\\ }} {{ đ";
        let mut values = std::collections::BTreeMap::from([("to", to.to_owned())]);
        let names = "key incident purpose severity subject text html short ack_url incident_url \
            system access_token token template user password brand cp_code contract \
            contract_type agent account";
        values.extend(names.split_whitespace().map(|name| (name, text.to_owned())));
        engine.add_template_owned("t", body).unwrap();
        engine.get_template("t").unwrap().render(values).unwrap()
    }

    #[test]
    fn whatever_a_message_says_its_body_is_whole() {
        for it in PRESETS {
            for to in ["-", "group:1", "84912345678", "\"]}"] {
                let body = rendered(&preset(it.kind, settings()).unwrap(), to);
                if it.content_type == JSON {
                    let read = serde_json::from_str::<serde_json::Value>(&body);
                    assert!(read.is_ok(), "{} {to}: {body}", it.kind);
                } else {
                    assert!(!body.contains("<&>") && body.contains("&lt;&amp;>"), "{body}");
                }
            }
        }
        let body = rendered(&preset("zalo-oa", settings()).unwrap(), "group:g1");
        assert!(body.starts_with(r#"{"recipient":{ "group_id":"g1"}"#), "{body}");
    }

    #[test]
    fn a_base_and_a_path_meet_in_one_slash() {
        let url = preset("telegram", settings()).unwrap().url;
        assert_eq!(url.reveal(), "http://127.0.0.1:1/x/bot{{ token }}/sendMessage");
        let url = preset("slack", settings()).unwrap().url;
        assert_eq!(url.reveal(), "http://127.0.0.1:1/x/");
    }

    #[test]
    fn parameters_of_a_zns_template_are_json_strings() {
        let own = vec![("ten \"a\"".to_owned(), "{{ system }}".to_owned())];
        let channel = preset("zalo-zns", Settings { data: own, ..Settings::default() }).unwrap();
        let expected =
            r#""template_data":{"ten \"a\"":{% filter json %}{{ system }}{% endfilter %}}"#;
        assert!(channel.body.reveal().contains(expected), "{}", channel.body.reveal());
        let channel = preset("zalo-zns", Settings::default()).unwrap();
        assert!(channel.body.reveal().contains(r#"{"ma":{% filter json %}{{ incident }}"#));
    }

    #[test]
    fn answers_of_viettel_and_slack_are_told_apart() {
        for (kind, yes, no) in [
            ("sms-viettel", "<return><result>1</result></return>", "<result>0</result>"),
            ("sms-viettel", "<ns2:result> 1 </ns2:result>", "<result>10</result>"),
            ("slack", "ok", "no_service"),
        ] {
            let Success::Matches(pattern) = preset(kind, settings()).unwrap().success else {
                panic!("{kind}");
            };
            assert!(pattern.is_match(yes.as_bytes()) && !pattern.is_match(no.as_bytes()), "{kind}");
        }
    }
}
