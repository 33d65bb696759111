//! Packs the browser side into the server binary.
//!
//! A restaurant copies one file onto one machine; nothing may be missing beside it. So the WASM, the style sheet and everything in
//! `public/` become part of the binary here, already compressed: no request ever pays for compression.
//!
//! - The folder that `.ci/site` fills (`<target>/site/<dev|release>/pkg`, or the one `COMPTOIR_SITE_PKG` names) holds what
//!   wasm-bindgen wrote. An empty one packs a server without a browser side and says so, so that the server can be worked on alone.
//! - `verifier/` in that folder is the check of archives as WASM. With `frontend/verifier/page/` it becomes one file, `/verifier`, that needs nothing
//!   else: it can be saved and opened years later without a server. Phones of the house never fetch it.
//! - `style/main.css` is the list of style sheets: every line `@import "other.css";` is replaced by that file, and comments stay here.
//! - Names of pkg and style files carry a hash of their content, so that they can be cached for ever.
//! - `public/sw.js` is a template: `__VERSION__` becomes a hash over the whole site, `"__PRECACHE__"` the list of addresses that the
//!   browser must hold to start without a network.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// One file of the site, under the address where the browser finds it.
struct File {
    url: String,
    content: Vec<u8>,
    /// The address changes with the content.
    hashed: bool,
}

fn main() -> Result<()> {
    let server = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let release = env::var("PROFILE")? == "release";
    let pkg = site_pkg(&out, release)?;
    let public = server.join("../public");
    let style = server.join("../style");

    println!("cargo:rerun-if-changed=build.rs");
    // `sqlx::migrate!` watches the files that it saw, not those that come later.
    let migrations = server.join("../migrations");
    let verifier = server.join("../frontend/verifier/page");
    for watched in [&pkg, &public, &style, &migrations, &verifier] {
        println!("cargo:rerun-if-changed={}", watched.display());
    }

    let mut site = Site::default();
    site.add_browser_side(&pkg)?;
    site.add_verifier(&pkg.join("verifier"), &verifier)?;
    site.add_style(&style)?;
    site.add_public(&public)?;
    site.finish_service_worker()?;
    site.write(&out, release)
}

/// The folder with wasm-bindgen's output. It is created when missing: cargo runs a build script again on *every* build while a path
/// that it watches does not exist.
fn site_pkg(out: &Path, release: bool) -> Result<PathBuf> {
    println!("cargo:rerun-if-env-changed=COMPTOIR_SITE_PKG");
    if let Some(named) = env::var_os("COMPTOIR_SITE_PKG").filter(|named| !named.is_empty()) {
        return Ok(named.into());
    }
    // OUT_DIR is <target>/<profile>/build/<package>-<hash>/out.
    let target = out.ancestors().nth(4).ok_or("OUT_DIR does not lie in a target folder")?;
    let pkg = target.join("site").join(if release { "release" } else { "dev" }).join("pkg");
    fs::create_dir_all(&pkg)?;
    Ok(pkg)
}

#[derive(Default)]
struct Site {
    files: Vec<File>,
    js: Option<String>,
    wasm: Option<String>,
    css: String,
    version: String,
}

impl Site {
    /// What `.ci/site` left: the loader, the WASM, in a release the parts of it that come later, and the JavaScript snippets of libraries,
    /// which the loader imports by name. Loader and parts name each other, so one hash over all of them is in each of their names.
    fn add_browser_side(&mut self, pkg: &Path) -> Result<()> {
        let mut files = read_tree(pkg)?;
        // A page of its own: see `add_verifier`.
        files.retain(|(path, _)| !path.starts_with("verifier/"));
        let holds = |name: &str| files.iter().any(|(path, _)| path == name);
        if !holds("comptoir.js") || !holds("comptoir_bg.wasm") {
            println!("cargo:warning=no browser side in {}: run `.ci/site dev` (or `make run`)", pkg.display());
            return Ok(());
        }
        let mut hash = Sha256::new();
        for (path, content) in &files {
            hash.update(path);
            hash.update(Sha256::digest(content));
        }
        let hash = hex(&hash.finalize(), 8);
        let named = |path: &str| {
            let (stem, extension) = path.rsplit_once('.').filter(|_| !path.contains('/'))?;
            Some(format!("{stem}.{hash}.{extension}"))
        };
        let renamed: Vec<(String, String)> = files.iter().filter_map(|(path, _)| Some((path.clone(), named(path)?))).collect();
        for (path, content) in files {
            let Some(name) = named(&path) else {
                self.add(format!("/pkg/{path}"), content);
                continue;
            };
            let url = format!("/pkg/{name}");
            let content = if path.ends_with(".js") { with_names(String::from_utf8(content)?, &renamed) } else { content };
            match path.as_str() {
                "comptoir.js" => self.js = Some(url.clone()),
                "comptoir_bg.wasm" => self.wasm = Some(url.clone()),
                _ => {}
            }
            self.files.push(File { url, content, hashed: true });
        }
        Ok(())
    }

    /// One page with everything in it, under a policy of its own that lets it run this script and this WASM and reach no address.
    fn add_verifier(&mut self, built: &Path, page: &Path) -> Result<()> {
        let read = |name: &str| fs::read_to_string(page.join(name)).map_err(|error| format!("frontend/verifier/page/{name}: {error}"));
        let (Ok(glue), Ok(wasm)) = (fs::read_to_string(built.join("verifier.js")), fs::read(built.join("verifier_bg.wasm"))) else {
            println!("cargo:warning=no verifier in {}: run `.ci/site dev` (or `make run`)", built.display());
            return Ok(());
        };
        let script = read("page.js")?;
        let hash = format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(&script)));
        let mut html = read("page.html")?;
        for (mark, content) in [
            ("__SCRIPT_HASH__", hash.as_str()),
            ("__VERSION__", concat!("Comptoir ", env!("CARGO_PKG_VERSION"))),
            ("__STYLE__", &read("page.css")?),
            ("__GLUE__", &glue),
            ("__WORKER__", &read("worker.js")?),
            // Packed, because a saved file travels and lies about as it is.
            ("__WASM__", &BASE64_STANDARD.encode(gzip(&wasm, true)?)),
            ("__SCRIPT__", &script),
        ] {
            if content.contains("</script") {
                return Err(format!("verifier: what stands for {mark} would end its element").into());
            }
            html = html.replacen(mark, content, 1);
        }
        self.add("/verifier".to_owned(), html.into_bytes());
        Ok(())
    }

    fn add_style(&mut self, style: &Path) -> Result<()> {
        let main = style.join("main.css");
        let text = if main.exists() { fs::read_to_string(&main)? } else { String::new() };
        let mut css = String::with_capacity(text.len());
        for line in text.lines() {
            match line.trim().strip_prefix("@import") {
                None => css.push_str(line),
                Some(rest) => {
                    let name = rest.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix("\";"));
                    let name = name.ok_or_else(|| format!("style/main.css: write `@import \"file.css\";` instead of `{line}`"))?;
                    css.push_str(&fs::read_to_string(style.join(name)).map_err(|error| format!("style/{name}: {error}"))?);
                }
            }
            css.push('\n');
        }
        self.css = self.add_hashed("/pkg/main", "css", without_comments(&css).into_bytes());
        Ok(())
    }

    fn add_public(&mut self, public: &Path) -> Result<()> {
        for (path, content) in read_tree(public)? {
            self.add(format!("/{path}"), content);
        }
        Ok(())
    }

    /// Fills in the service worker's template. Its version covers every other file and the template, so that any change makes
    /// browsers fetch the new site.
    fn finish_service_worker(&mut self) -> Result<()> {
        self.files.sort_by(|a, b| a.url.cmp(&b.url));
        let mut hash = Sha256::new();
        for file in &self.files {
            hash.update(&file.url);
            hash.update(Sha256::digest(&file.content));
        }
        self.version = hex(&hash.finalize(), 16);

        let precache: Vec<String> = self
            .files
            .iter()
            .filter(|file| file.url != "/sw.js" && file.url != "/verifier")
            .map(|file| file.url.as_str())
            .chain(["/shell"])
            .map(|url| format!("{url:?}"))
            .collect();
        let precache = format!("[{}]", precache.join(", "));
        if let Some(worker) = self.files.iter_mut().find(|file| file.url == "/sw.js") {
            let template = String::from_utf8(std::mem::take(&mut worker.content))?;
            worker.content = template.replace("__VERSION__", &self.version).replace("\"__PRECACHE__\"", &precache).into_bytes();
        }
        Ok(())
    }

    /// Writes the files, their compressed variants and the table that `src/site.rs` includes, sorted by address.
    fn write(&self, out: &Path, release: bool) -> Result<()> {
        let folder = out.join("site");
        // Files of an earlier run would only be dead weight in the target folder.
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;

        let mut table = String::from("static ASSETS: &[Asset] = &[\n");
        for (number, File { url, content, hashed }) in self.files.iter().enumerate() {
            let (content_type, compressible) = content_type(url);
            let write_variant = |suffix: &str, bytes: &[u8]| -> Result<String> {
                let path = folder.join(format!("{number}.{suffix}"));
                fs::write(&path, bytes)?;
                Ok(format!("include_bytes!({:?})", path.display().to_string()))
            };
            // A variant that is not smaller than the file would cost the browser time and save nothing.
            let write_smaller = |suffix: &str, bytes: Vec<u8>| -> Result<String> {
                if compressible && bytes.len() < content.len() {
                    Ok(format!("Some({})", write_variant(suffix, &bytes)?))
                } else {
                    Ok("None".into())
                }
            };
            writeln!(
                table,
                "Asset {{ url: {url:?}, content_type: {content_type:?}, etag: {:?}, hashed: {hashed}, identity: {}, brotli: {}, gzip: {} }},",
                format!("W/\"{}\"", hex(&Sha256::digest(content), 16)),
                write_variant("raw", content)?,
                write_smaller("br", brotli(content, release)?)?,
                write_smaller("gz", gzip(content, release)?)?,
            )?;
        }
        table.push_str("];\n");

        // Without a browser side the plain names are announced; they answer 404.
        writeln!(
            table,
            "const PACKED: AssetUrls = AssetUrls {{ js: {:?}, wasm: {:?}, css: {:?}, version: {:?} }};",
            self.js.as_deref().unwrap_or("/pkg/comptoir.js"),
            self.wasm.as_deref().unwrap_or("/pkg/comptoir.wasm"),
            self.css,
            self.version,
        )?;
        fs::write(out.join("site.rs"), table)?;
        Ok(())
    }

    fn add(&mut self, url: String, content: Vec<u8>) {
        self.files.push(File { url, content, hashed: false });
    }

    fn add_hashed(&mut self, stem: &str, extension: &str, content: Vec<u8>) -> String {
        let url = format!("{stem}.{}.{extension}", hex(&Sha256::digest(&content), 8));
        self.files.push(File { url: url.clone(), content, hashed: true });
        url
    }
}

/// A script that names other files of its folder by the names that they have here. An import's name is also the key under which the WASM
/// looks for what it imports, so only what is loaded is renamed.
fn with_names(mut script: String, renamed: &[(String, String)]) -> Vec<u8> {
    for (old, new) in renamed {
        for (before, after) in [("from \"./", "\""), ("URL(\"./", "\""), ("URL('", "'")] {
            script = script.replace(&format!("{before}{old}{after}"), &format!("{before}{new}{after}"));
        }
    }
    script.into_bytes()
}

/// Every file below a folder with its path relative to it, `/` between the parts. A folder that does not exist is empty; names that
/// begin with a dot belong to editors.
fn read_tree(root: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    let mut pending = vec![root.to_path_buf()];
    while let Some(folder) = pending.pop() {
        if !folder.exists() {
            continue;
        }
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let relative = path.strip_prefix(root)?.to_str().ok_or("a file name is not UTF-8")?.to_owned();
            if relative.split('/').any(|part| part.starts_with('.')) {
                continue;
            }
            if path.is_dir() {
                pending.push(path);
            } else {
                found.push((relative, fs::read(&path)?));
            }
        }
    }
    // The order in which a file system lists names must not change the packed site.
    found.sort();
    Ok(found)
}

/// The content type of an address, and whether its content is worth compressing.
fn content_type(url: &str) -> (&'static str, bool) {
    if url == "/verifier" {
        return ("text/html; charset=utf-8", true);
    }
    match url.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" => ("text/javascript; charset=utf-8", true),
        "wasm" => ("application/wasm", true),
        "css" => ("text/css; charset=utf-8", true),
        "html" => ("text/html; charset=utf-8", true),
        "txt" => ("text/plain; charset=utf-8", true),
        "json" => ("application/json", true),
        "webmanifest" => ("application/manifest+json", true),
        "svg" => ("image/svg+xml", true),
        "ico" => ("image/x-icon", true),
        "png" => ("image/png", false),
        "webp" => ("image/webp", false),
        "jpg" | "jpeg" => ("image/jpeg", false),
        "woff2" => ("font/woff2", false),
        "mp3" => ("audio/mpeg", false),
        "ogg" => ("audio/ogg", false),
        "wav" => ("audio/wav", true),
        _ => ("application/octet-stream", false),
    }
}

/// Brotli: as small as it gets for what is shipped, as fast as it gets for what is thrown away after the next edit.
/// A style sheet without what is said in it to whoever reads it here. No comment begins inside a text of ours.
fn without_comments(css: &str) -> String {
    let mut parts = css.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.split_once("*/").map_or("", |(_, rest)| rest))
}

fn brotli(content: &[u8], release: bool) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let quality = if release { 11 } else { 2 };
    brotli::CompressorWriter::new(&mut compressed, 64 * 1024, quality, 22).write_all(content)?;
    Ok(compressed)
}

fn gzip(content: &[u8], release: bool) -> Result<Vec<u8>> {
    let level = if release { Compression::best() } else { Compression::fast() };
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

/// The first `digits` hexadecimal digits of a hash.
fn hex(hash: &[u8], digits: usize) -> String {
    let mut text = String::with_capacity(hash.len() * 2);
    for byte in hash {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.truncate(digits);
    text
}
