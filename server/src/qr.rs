//! QR codes, drawn: for pages and for the pictures of the simulated printer.

use domain::api::DrawnCode;
use qrcodegen::{QrCode, QrCodeEcc};

/// The modules of a code, as a printer makes it (level M); `None` when there is too much to say.
#[must_use]
pub fn code(data: &str) -> Option<QrCode> {
    QrCode::encode_text(data, QrCodeEcc::Medium).ok()
}

/// The code as a drawing.
#[must_use]
pub fn drawn(data: &str) -> Option<DrawnCode> {
    let code = code(data)?;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            let dark = i32::try_from(run).unwrap_or_default();
            if dark > 0 {
                path.push_str(&format!("M{x} {y}h{dark}v1h-{dark}z"));
            }
            x += dark.max(1);
        }
    }
    Some(DrawnCode { size: u32::try_from(code.size()).unwrap_or_default(), path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_with_as_many_dark_modules_as_it_has() {
        let data = "T-01-1057.abc";
        let code = code(data).expect("short enough");
        let dark = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y))).filter(|(x, y)| code.get_module(*x, *y)).count();
        let drawn = drawn(data).expect("short enough");
        let runs =
            drawn.path.split('h').skip(1).step_by(2).filter_map(|run| run.split('v').next()).filter_map(|run| run.parse::<usize>().ok());
        assert_eq!((drawn.size, runs.sum::<usize>()), (21, dark));
        assert_eq!(super::drawn(&"x".repeat(5000)), None);
    }
}
