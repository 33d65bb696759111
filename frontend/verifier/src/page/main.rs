//! What the page's worker calls: the check, over a file that the browser holds.

fn main() {}

#[cfg(target_arch = "wasm32")]
mod blob;

#[cfg(target_arch = "wasm32")]
mod call {
    use super::blob::BlobFile;
    use js_sys::Function;
    use serde_json::json;
    use verifier::{Asked, PublicKeys, Unreadable, examine};
    use wasm_bindgen::JsValue;
    use wasm_bindgen::prelude::wasm_bindgen;

    /// Checks an archive. `asked` is JSON ([`Asked`]); the answer is JSON too: `{"examined": …}`, or `{"unreadable": why}` in French.
    /// `progress` is called with 0 to 1000.
    #[wasm_bindgen]
    pub fn check(file: web_sys::Blob, asked: &str, progress: &Function) -> String {
        let Ok(asked) = serde_json::from_str::<Asked>(asked) else { return json!({ "unreadable": "Demande illisible." }).to_string() };
        let mut tell = |now: u32| {
            // A page that is gone is told in vain.
            let _ = progress.call1(&JsValue::NULL, &JsValue::from(now));
        };
        let examined = BlobFile::new(file)
            .map_err(Unreadable::from)
            .and_then(|file| examine(file, &asked, PublicKeys::new, PublicKeys::fingerprint, &mut tell));
        match examined {
            Ok(examined) => json!({ "examined": examined }).to_string(),
            Err(why) => json!({ "unreadable": in_french(&why) }).to_string(),
        }
    }

    fn in_french(why: &Unreadable) -> String {
        match why {
            Unreadable::NoArchive(_) => "Ce fichier n'est pas une archive : ce n'est pas un fichier zip complet.".to_owned(),
            Unreadable::Missing(what) => match what.as_str() {
                "public key" => "La clé donnée n'est pas une clé publique RSA au format PEM.".to_owned(),
                "ticket" => "Aucun ticket de ce numéro dans cette archive.".to_owned(),
                anchor if anchor.starts_with("anchor ") => {
                    format!("Le fichier d'ancres n'en est pas un : ligne {}.", anchor.trim_start_matches("anchor "))
                }
                name => format!("Ce fichier n'est pas une archive de caisse : {name} y manque."),
            },
            Unreadable::Manifest(_) => "Le manifeste de cette archive est illisible.".to_owned(),
            Unreadable::Format(format) => format!("Cette version ne connaît pas les archives au format {format}."),
            Unreadable::Broken(error) => format!("Le fichier ne se lit pas jusqu'au bout ({error})."),
        }
    }
}
