//! The token formats, as a table: keywords that must be in the text, the pattern, the least entropy, the level.
//! To add one: a row here and a line in `tests/secrets.rs`.

use crate::Level;

/// One token format.
pub(super) struct Format {
    /// Stable name.
    pub rule: &'static str,
    /// One of these is in every text that matches, in any case.
    pub keywords: &'static [&'static str],
    /// Linear-time pattern; its first group is the secret, else the whole match.
    pub pattern: &'static str,
    /// Least entropy of the secret, in bits for each character.
    pub entropy: f64,
    /// What is at stake.
    pub level: Level,
    /// What it is, at the start of a sentence.
    pub what: &'static str,
}

const fn row(
    rule: &'static str,
    keywords: &'static [&'static str],
    pattern: &'static str,
    entropy: f64,
    what: &'static str,
) -> Format {
    Format {
        rule,
        keywords,
        pattern,
        entropy,
        level: Level::High,
        what,
    }
}

const fn medium(
    rule: &'static str,
    keywords: &'static [&'static str],
    pattern: &'static str,
    entropy: f64,
    what: &'static str,
) -> Format {
    Format {
        rule,
        keywords,
        pattern,
        entropy,
        level: Level::Medium,
        what,
    }
}

/// The names of all token formats.
pub fn names() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|format| format.rule)
}

#[rustfmt::skip]
pub(super) static FORMATS: &[Format] = &[
    row("private-key", &["PRIVATE KEY"], r"(-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[\sA-Za-z0-9+/=\\n:,\-]{40,})", 3.0, "A private key"),
    row("putty-key", &["PuTTY-User-Key-File"], r"(PuTTY-User-Key-File-\d: [\w\-]+)", 0.0, "A private key of PuTTY"),
    row("age-key", &["AGE-SECRET-KEY-1"], r"\b(AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})", 3.0, "A secret key of age"),
    row("aws-access-key", &["AKIA", "ASIA", "ABIA", "ACCA"], r"\b((?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b", 3.0, "An AWS access key id"),
    row("aws-secret-key", &["aws"], r#"(?i)aws.{0,30}?(?:secret|key).{0,20}?["'=:\s]([A-Za-z0-9/+]{40})(?:["'\s]|$)"#, 4.0, "An AWS secret access key"),
    row("gcp-api-key", &["AIza"], r"\b(AIza[0-9A-Za-z_\-]{35})(?:[^0-9A-Za-z_\-]|$)", 3.5, "A Google API key"),
    row("gcp-oauth-secret", &["GOCSPX-"], r"\b(GOCSPX-[0-9A-Za-z_\-]{28})", 3.0, "A Google OAuth client secret"),
    row("gcp-oauth-token", &["ya29."], r"\b(ya29\.[0-9A-Za-z_\-]{30,})", 3.0, "A Google OAuth access token"),
    row("azure-storage-key", &["AccountKey="], r"AccountKey=([A-Za-z0-9+/]{86}==)", 4.0, "An Azure storage account key"),
    row("azure-client-secret", &["8Q~", "7Q~"], r"\b([0-9A-Za-z_~.]{3}[78]Q~[0-9A-Za-z_~.\-]{31,34})", 3.0, "An Azure client secret"),
    row("azure-sas", &["&sig="], r"[?&]sig=([A-Za-z0-9%/+]{43,}(?:%3D|=))", 3.5, "An Azure shared access signature"),
    row("digitalocean-token", &["dop_v1_", "doo_v1_", "dor_v1_"], r"\b(do[opr]_v1_[a-f0-9]{64})\b", 3.0, "A DigitalOcean token"),
    row("alibaba-key", &["LTAI"], r"\b(LTAI[A-Za-z0-9]{20})\b", 3.5, "An Alibaba access key id"),
    row("heroku-key", &["heroku"], r#"(?i)heroku.{0,30}?["'=\s]([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"#, 3.0, "A Heroku API key"),
    row("cloudflare-origin-key", &["v1.0-"], r"\b(v1\.0-[a-f0-9]{24}-[a-f0-9]{146})\b", 3.0, "A Cloudflare origin key"),
    row("fly-token", &["FlyV1 fm"], r"(FlyV1 fm\d_[A-Za-z0-9+/=,_\-]{40,})", 3.5, "A Fly.io token"),
    row("vault-token", &["hvs.", "hvb."], r"\b(hv[sb]\.[A-Za-z0-9_\-]{24,300})", 3.5, "A HashiCorp Vault token"),
    row("terraform-token", &[".atlasv1."], r"\b([A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-=]{60,70})", 3.5, "A Terraform Cloud token"),
    row("pulumi-token", &["pul-"], r"\b(pul-[a-f0-9]{40})\b", 3.0, "A Pulumi token"),
    row("databricks-token", &["dapi"], r"\b(dapi[a-f0-9]{32}(?:-\d)?)\b", 3.0, "A Databricks token"),
    row("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], r"\b(gh[pousr]_[0-9A-Za-z]{36,255})\b", 3.0, "A GitHub token"),
    row("github-fine-token", &["github_pat_"], r"\b(github_pat_[0-9A-Za-z_]{40,255})\b", 3.0, "A GitHub personal access token"),
    row("gitlab-token", &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-"], r"\b(gl(?:pat|dt|rt|cbt|ptt)-[0-9A-Za-z_\-]{20,60})", 3.0, "A GitLab token"),
    row("bitbucket-token", &["ATBB"], r"\b(ATBB[0-9A-Za-z]{32}[A-F0-9]{0,8})\b", 3.0, "A Bitbucket app password"),
    row("atlassian-token", &["ATATT3"], r"\b(ATATT3[A-Za-z0-9_\-=]{180,})", 3.5, "An Atlassian API token"),
    row("npm-token", &["npm_"], r"\b(npm_[0-9A-Za-z]{36})\b", 3.0, "An npm token"),
    row("pypi-token", &["pypi-AgE"], r"\b(pypi-AgE[0-9A-Za-z_\-]{50,})", 3.5, "A PyPI token"),
    row("rubygems-token", &["rubygems_"], r"\b(rubygems_[a-f0-9]{48})\b", 3.0, "A RubyGems token"),
    row("docker-token", &["dckr_pat_"], r"\b(dckr_pat_[0-9A-Za-z_\-]{27,})", 3.0, "A Docker Hub token"),
    row("nuget-key", &["oy2"], r"\b(oy2[a-z0-9]{43})\b", 3.5, "A NuGet API key"),
    row("cargo-token", &["cio"], r"\b(cio[a-zA-Z0-9]{32})\b", 3.5, "A crates.io token"),
    row("openai-key", &["sk-"], r"\b(sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_\-]{20,}T3BlbkFJ[A-Za-z0-9_\-]{20,}|sk-[A-Za-z0-9]{48}|sk-proj-[A-Za-z0-9_\-]{40,})", 3.5, "An OpenAI API key"),
    row("anthropic-key", &["sk-ant-"], r"\b(sk-ant-[a-z0-9]+-[A-Za-z0-9_\-]{40,})", 3.5, "An Anthropic API key"),
    row("huggingface-token", &["hf_"], r"\b(hf_[A-Za-z]{34})\b", 3.5, "A Hugging Face token"),
    row("replicate-token", &["r8_"], r"\b(r8_[A-Za-z0-9]{37})\b", 3.5, "A Replicate token"),
    row("groq-key", &["gsk_"], r"\b(gsk_[A-Za-z0-9]{52})\b", 3.5, "A Groq API key"),
    row("xai-key", &["xai-"], r"\b(xai-[A-Za-z0-9]{70,90})\b", 3.5, "An xAI API key"),
    row("perplexity-key", &["pplx-"], r"\b(pplx-[A-Za-z0-9]{48})\b", 3.5, "A Perplexity API key"),
    row("slack-token", &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe"], r"\b(xox[abeprs](?:\.xox[bp])?-[0-9A-Za-z\-]{20,250})", 3.0, "A Slack token"),
    row("slack-app-token", &["xapp-"], r"\b(xapp-\d-[A-Z0-9]+-\d+-[a-f0-9]{40,})", 3.0, "A Slack app token"),
    row("slack-webhook", &["hooks.slack.com"], r"(https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{30,80})", 3.0, "A Slack webhook"),
    row("discord-webhook", &["discord"], r"(https://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_\-]{60,})", 3.5, "A Discord webhook"),
    row("discord-bot-token", &["discord", "bot"], r"\b([MNO][A-Za-z\d]{23,27}\.[A-Za-z\d_\-]{6}\.[A-Za-z\d_\-]{27,40})", 4.0, "A Discord bot token"),
    row("telegram-token", &[":AA"], r"\b(\d{8,10}:AA[0-9A-Za-z_\-]{33})(?:[^0-9A-Za-z_\-]|$)", 3.5, "A Telegram bot token"),
    row("teams-webhook", &["webhook.office.com"], r"(https://[a-z0-9]+\.webhook\.office\.com/webhookb2/[a-z0-9@\-]+/IncomingWebhook/[a-z0-9]+/[a-z0-9\-]+)", 3.0, "A Microsoft Teams webhook"),
    row("stripe-key", &["sk_live_", "rk_live_"], r"\b([sr]k_live_[0-9A-Za-z]{20,250})\b", 3.0, "A live Stripe key"),
    medium("stripe-test-key", &["sk_test_", "rk_test_"], r"\b([sr]k_test_[0-9A-Za-z]{20,250})\b", 3.0, "A Stripe test key"),
    row("stripe-webhook-secret", &["whsec_"], r"\b(whsec_[0-9A-Za-z+/=]{30,})", 3.0, "A Stripe webhook secret"),
    row("square-token", &["EAAA", "sq0"], r"\b(EAAA[a-zA-Z0-9_\-]{60}|sq0(?:atp|csp)-[0-9A-Za-z_\-]{22,43})\b", 3.5, "A Square token"),
    row("paypal-braintree-token", &["access_token$production$"], r"(access_token\$production\$[0-9a-z]{16}\$[0-9a-f]{32})", 3.0, "A Braintree token"),
    row("shopify-token", &["shpat_", "shpca_", "shppa_", "shpss_"], r"\b(shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32})\b", 3.0, "A Shopify token"),
    row("twilio-key", &["SK"], r"(?:twilio|TWILIO).{0,60}?\b(SK[0-9a-f]{32})\b", 3.0, "A Twilio API key"),
    row("sendgrid-key", &["SG."], r"\b(SG\.[A-Za-z0-9_\-]{22}\.[A-Za-z0-9_\-]{43})(?:[^A-Za-z0-9_\-]|$)", 4.0, "A SendGrid API key"),
    row("mailgun-key", &["key-"], r"\b(key-[0-9a-f]{32})\b", 3.0, "A Mailgun API key"),
    row("mailchimp-key", &["-us"], r"\b([0-9a-f]{32}-us\d{1,2})\b", 3.0, "A Mailchimp API key"),
    row("postman-key", &["PMAK-"], r"\b(PMAK-[a-f0-9]{24}-[a-f0-9]{34})\b", 3.0, "A Postman API key"),
    row("grafana-token", &["glsa_", "glc_", "eyJrIjoi"], r"\b(glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/]{32,400}={0,2}|eyJrIjoi[A-Za-z0-9]{70,400}={0,2})", 3.5, "A Grafana token"),
    row("newrelic-key", &["NRAK-", "NRII-"], r"\b(NR(?:AK|II)-[A-Za-z0-9\-_]{27,32})\b", 3.0, "A New Relic key"),
    row("sentry-token", &["sntrys_", "sntryu_"], r"\b(sntry[su]_[A-Za-z0-9+/=_\-]{40,})", 3.0, "A Sentry token"),
    row("datadog-key", &["datadog", "dd_api", "dd_app"], r#"(?i)(?:datadog|dd_(?:api|app)).{0,30}?["'=\s]([a-f0-9]{40}|[a-f0-9]{32})\b"#, 3.0, "A Datadog key"),
    row("linear-key", &["lin_api_"], r"\b(lin_api_[A-Za-z0-9]{40})\b", 3.5, "A Linear API key"),
    row("notion-token", &["ntn_", "secret_"], r"\b(ntn_[A-Za-z0-9]{40,50}|secret_[A-Za-z0-9]{43})\b", 3.5, "A Notion token"),
    row("airtable-token", &["pat"], r"\b(pat[A-Za-z0-9]{14}\.[a-f0-9]{64})\b", 3.5, "An Airtable token"),
    row("dropbox-token", &["sl."], r"\b(sl\.(?:u\.)?[A-Za-z0-9_\-]{130,})", 3.5, "A Dropbox token"),
    row("facebook-token", &["EAA"], r"\b(EAA[MC][A-Za-z0-9]{100,})\b", 3.5, "A Facebook token"),
    row("twitter-bearer", &["AAAAAAAAAAAAAAAAAAAAA"], r"\bA{21,22}([A-Za-z0-9%]{60,})", 3.0, "A Twitter bearer token"),
    row("planetscale-token", &["pscale_"], r"\b(pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_\-.=]{32,64})", 3.0, "A PlanetScale credential"),
    row("supabase-token", &["sbp_"], r"\b(sbp_[a-f0-9]{40})\b", 3.0, "A Supabase token"),
    row("doppler-token", &["dp.pt."], r"\b(dp\.pt\.[A-Za-z0-9]{43})\b", 3.5, "A Doppler token"),
    row("onepassword-token", &["ops_eyJ"], r"\b(ops_eyJ[A-Za-z0-9+/=_\-]{100,})", 3.5, "A 1Password service token"),
    medium("json-web-token", &["eyJ"], r"\b(eyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{20,})", 4.0, "A JSON web token"),
    medium("url-password", &["://"], r#"\b[a-z][a-z0-9+.\-]{1,20}://[^\s:/@"'{}<>$]{1,60}:([^\s:/@"'{}<>$]{6,80})@[a-zA-Z0-9.\-]{3,}"#, 2.5, "A password in a URL"),
    medium("basic-auth", &["Basic "], r#"(?:Authorization|authorization)["']?\s*[:=,]\s*["']Basic ([A-Za-z0-9+/]{16,}={0,2})"#, 3.0, "A basic authentication header"),
    medium("bearer-token", &["Bearer "], r#"["']Bearer ([A-Za-z0-9_\-.=]{24,})["']"#, 3.8, "A bearer token"),
];
