//! Secrets: each format fires on a made-up value of its shape, placeholders stay silent. Values are put together at run
//! time, so that no other tool takes this file for a leak.

use proptest::prelude::*;
use saferun_scanner::secrets::{find, names, redact};

/// Repeats an alphabet out of order, so that the text has the entropy of a real token.
fn noise(length: usize, alphabet: &str) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            letters[usize::try_from(state % letters.len() as u64).unwrap_or(0)]
        })
        .collect()
}

fn any(length: usize) -> String {
    noise(
        length,
        "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789",
    )
}

fn hex(length: usize) -> String {
    noise(length, "0123456789abcdef")
}

fn upper(length: usize) -> String {
    noise(length, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
}

#[expect(clippy::too_many_lines, reason = "one line for each format")]
fn samples() -> Vec<(&'static str, String)> {
    let a = any;
    let digits = hex(32);
    let uuid = format!(
        "{}-{}-{}-{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..]
    );
    let key = "-----BEGIN RSA PRIV".to_owned() + "ATE KEY-----\n";
    vec![
        ("private-key", format!("{key}{}\n", a(400))),
        (
            "putty-key",
            "PuTTY-User-Key-File-".to_owned() + "3: ssh-ed25519",
        ),
        (
            "age-key",
            format!(
                "AGE-SECRET-{}1{}",
                "KEY-",
                noise(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")
            ),
        ),
        ("aws-access-key", format!("AK{}{}", "IA", upper(16))),
        (
            "aws-secret-key",
            format!("aws_secret_access_key = '{}'", a(40)),
        ),
        ("gcp-api-key", format!("AI{}{}", "za", a(35))),
        ("gcp-oauth-secret", format!("GOC{}{}", "SPX-", a(28))),
        ("gcp-oauth-token", format!("ya{}{}", "29.", a(60))),
        ("azure-storage-key", format!("Account{}{}==", "Key=", a(86))),
        ("azure-client-secret", format!("{}8{}{}", a(3), "Q~", a(34))),
        (
            "azure-sas",
            format!("https://x/?sv=1&{}{}%3D", "sig=", a(43)),
        ),
        ("digitalocean-token", format!("dop_{}{}", "v1_", hex(64))),
        ("alibaba-key", format!("LT{}{}", "AI", a(20))),
        ("heroku-key", format!("HEROKU_API_KEY={uuid}")),
        (
            "cloudflare-origin-key",
            format!("v1.{}{}-{}", "0-", hex(24), hex(146)),
        ),
        ("fly-token", format!("Fly{}_{}", "V1 fm2", a(60))),
        ("vault-token", format!("hv{}{}", "s.", a(30))),
        (
            "terraform-token",
            format!("{}.atlas{}{}", a(14), "v1.", a(64)),
        ),
        ("pulumi-token", format!("pu{}{}", "l-", hex(40))),
        ("databricks-token", format!("da{}{}", "pi", hex(32))),
        ("github-token", format!("gh{}{}", "p_", a(36))),
        ("github-fine-token", format!("github{}{}", "_pat_", a(70))),
        ("gitlab-token", format!("gl{}{}", "pat-", a(20))),
        ("bitbucket-token", format!("AT{}{}", "BB", a(32))),
        ("atlassian-token", format!("ATA{}{}", "TT3", a(186))),
        ("npm-token", format!("np{}{}", "m_", a(36))),
        ("pypi-token", format!("py{}{}", "pi-AgE", a(80))),
        ("rubygems-token", format!("ruby{}{}", "gems_", hex(48))),
        ("docker-token", format!("dckr{}{}", "_pat_", a(27))),
        (
            "nuget-key",
            format!("oy{}{}", "2", noise(43, "abcdefghijklmnopqrstuvwxyz234567")),
        ),
        ("cargo-token", format!("ci{}{}", "o", a(32))),
        (
            "openai-key",
            format!("s{}proj-{}T3Blbk{}{}", "k-", a(40), "FJ", a(40)),
        ),
        ("anthropic-key", format!("sk-{}api03-{}", "ant-", a(90))),
        (
            "huggingface-token",
            format!(
                "h{}{}",
                "f_",
                noise(34, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ")
            ),
        ),
        ("replicate-token", format!("r{}{}", "8_", a(37))),
        ("groq-key", format!("gs{}{}", "k_", a(52))),
        ("xai-key", format!("xa{}{}", "i-", a(80))),
        ("perplexity-key", format!("pp{}{}", "lx-", a(48))),
        (
            "slack-token",
            format!("xo{}{}-{}", "xb-", noise(12, "123456789"), a(24)),
        ),
        (
            "slack-app-token",
            format!(
                "xa{}1-{}-{}-{}",
                "pp-",
                upper(11),
                noise(12, "1357924680"),
                hex(64)
            ),
        ),
        (
            "slack-webhook",
            format!("https://hooks.slack{}{}", ".com/services/", a(44)),
        ),
        (
            "discord-webhook",
            format!(
                "https://discord.com/api{}{}/{}",
                "/webhooks/",
                noise(18, "1357924680"),
                a(68)
            ),
        ),
        (
            "discord-bot-token",
            format!("discord bot M{}.{}.{}", a(24), a(6), a(30)),
        ),
        (
            "telegram-token",
            format!("{}:{}{}", noise(9, "1357924680"), "AA", a(33)),
        ),
        (
            "teams-webhook",
            format!(
                "https://a.webhook.office{}{uuid}/IncomingWebhook/{}/{uuid}",
                ".com/webhookb2/",
                hex(32)
            ),
        ),
        ("stripe-key", format!("sk{}{}", "_live_", a(24))),
        ("stripe-test-key", format!("sk{}{}", "_test_", a(24))),
        ("stripe-webhook-secret", format!("wh{}{}", "sec_", a(32))),
        ("square-token", format!("sq0{}{}", "atp-", a(22))),
        (
            "paypal-braintree-token",
            format!("access_token{}{}${}", "$production$", hex(16), hex(32)),
        ),
        ("shopify-token", format!("shp{}{}", "at_", hex(32))),
        ("twilio-key", format!("twilio = 'S{}{}'", "K", hex(32))),
        ("sendgrid-key", format!("S{}{}.{}", "G.", a(22), a(43))),
        ("mailgun-key", format!("ke{}{}", "y-", hex(32))),
        ("mailchimp-key", format!("{}-us{}", hex(32), 12)),
        ("postman-key", format!("PM{}{}-{}", "AK-", hex(24), hex(34))),
        ("grafana-token", format!("gl{}{}_{}", "sa_", a(32), hex(8))),
        ("newrelic-key", format!("NR{}{}", "AK-", upper(27))),
        ("sentry-token", format!("sntr{}{}", "ys_", a(60))),
        ("datadog-key", format!("DD_API_KEY={}", hex(32))),
        ("linear-key", format!("lin{}{}", "_api_", a(40))),
        ("notion-token", format!("nt{}{}", "n_", a(46))),
        ("airtable-token", format!("pa{}{}.{}", "t", a(14), hex(64))),
        ("dropbox-token", format!("s{}{}", "l.", a(140))),
        ("facebook-token", format!("EAA{}{}", "C", a(120))),
        ("twitter-bearer", format!("{}{}", "A".repeat(22), a(80))),
        ("planetscale-token", format!("pscale{}{}", "_tkn_", a(43))),
        ("supabase-token", format!("sb{}{}", "p_", hex(40))),
        ("doppler-token", format!("dp{}{}", ".pt.", a(43))),
        ("onepassword-token", format!("ops_{}{}", "eyJ", a(140))),
        (
            "json-web-token",
            format!("ey{}{}.eyJ{}.{}", "J", a(20), a(40), a(43)),
        ),
        (
            "url-password",
            format!("postgres://admin:{}@db.internal:5432/x", a(12)),
        ),
        ("basic-auth", format!("'Authorization': 'Basic {}'", a(24))),
        ("bearer-token", format!("'Bearer {}'", a(40))),
    ]
}

#[test]
fn every_format_fires_on_its_shape() {
    let samples = samples();
    let wrong: Vec<String> = samples
        .iter()
        .filter(|(rule, text)| {
            !find(&format!("x = \"{text}\"\n"))
                .iter()
                .any(|hit| hit.rule == *rule)
        })
        .map(|(rule, text)| format!("{rule}: {text} -> {:?}", find(text)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_format_has_a_sample() {
    let samples = samples();
    let missing: Vec<_> = names()
        .filter(|name| !samples.iter().any(|(rule, _)| rule == name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(names().count() >= 40);
}

#[test]
fn assignments() {
    for text in [
        "password = 'hunter2!'",
        "DB_PASSWORD: str = \"S3cr3t-pw\"",
        "config[\"api_key\"] = \"9f8e7d6c5b4a3f2e1d0c\"",
        "{'client_secret': 'a8f5f167f44f4964e6c998dee827110c'}",
        "auth_token='q8Zk3Lr9Xw2Tn5Vb'",
    ] {
        assert_eq!(find(text).len(), 1, "{text}: {:?}", find(text));
    }
}

#[test]
fn placeholders_and_look_ups_stay_silent() {
    let quiet = [
        "password = os.environ['DB_PASSWORD']".to_owned(),
        "password = getpass.getpass('Password: ')".to_owned(),
        "password = 'changeme1'".to_owned(),
        "api_key = '<your-key>'".to_owned(),
        "api_key = 'YOUR_API_KEY_123'".to_owned(),
        "token = 'xxxxxxxxxxxxxxxx1'".to_owned(),
        "secret = '${SECRET_VALUE_1}'".to_owned(),
        "password = f'{prefix}1234'".to_owned(),
        "PASSWORD_FIELD = 'user_password1'".to_owned(),
        "token_url = 'https://h/oauth2/token1'".to_owned(),
        "if password == 'abc12345':".to_owned(),
        format!("AK{}EXAMPLE", "IAIOSFODNN7"),
        format!("gh{}{}", "p_", "x".repeat(36)),
        "postgres://user:password@localhost/db".to_owned() + " ",
        "def token(x): return 'identifier'".to_owned(),
        "tokenizer = 'bert-base-uncased-v1'".to_owned(),
        "sk-learn is a library, task-oriented".to_owned(),
    ];
    for text in &quiet {
        let hits: Vec<_> = find(text)
            .into_iter()
            .filter(|hit| hit.rule != "url-password")
            .collect();
        assert!(hits.is_empty(), "{text}: {hits:?}");
    }
}

#[test]
fn redaction_leaves_nothing_of_the_secret() {
    for (rule, text) in samples() {
        let source = format!("value = \"{text}\" # after");
        let hits = find(&source);
        let clean = redact(&source);
        for hit in &hits {
            assert!(
                !clean.contains(&source[hit.start..hit.end]),
                "{rule}: {clean}"
            );
        }
        assert!(
            clean.ends_with("# after") || rule == "private-key",
            "{clean}"
        );
    }
    assert_eq!(redact("print('hi')"), "print('hi')");
}

proptest! {
    #[test]
    fn never_panics_and_keeps_order(text in "\\PC{0,400}") {
        let hits = find(&text);
        prop_assert!(hits.windows(2).all(|pair| pair[0].end <= pair[1].start));
        prop_assert!(hits.iter().all(|hit| text.get(hit.start..hit.end).is_some()));
        let _ = redact(&text);
    }
}
