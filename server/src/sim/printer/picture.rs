//! Paper as a picture: a dot of the printer's head is a pixel.

use super::{Printed, height};
use domain::receipt::{Laid, Row};
use embedded_graphics::Drawable;
use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size as Extent};
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::iso_8859_15::FONT_10X20;
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::text::{Baseline, Text};
use std::convert::Infallible;

/// A letter of font A.
const CELL: (usize, usize) = (12, 24);
/// White around what is printed.
const MARGIN: usize = 24;
/// Dots of a module of a QR code.
const MODULE: usize = 4;

/// A sheet of white and black.
struct Sheet {
    width: usize,
    rows: Vec<bool>,
}

impl Sheet {
    fn new(width: usize, height: usize) -> Self {
        Self { width, rows: vec![false; width * height] }
    }

    fn height(&self) -> usize {
        self.rows.len() / self.width
    }

    fn fill(&mut self, left: usize, top: usize, width: usize, height: usize) {
        for y in top..top + height {
            for x in left..left + width {
                if x < self.width
                    && let Some(dot) = self.rows.get_mut(y * self.width + x)
                {
                    *dot = true;
                }
            }
        }
    }
}

/// One letter as the font draws it.
struct Letter([bool; CELL.0 * CELL.1]);

impl OriginDimensions for Letter {
    fn size(&self) -> Extent {
        Extent::new(12, 24)
    }
}

impl DrawTarget for Letter {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(Point { x, y }, color) in pixels {
            if let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y))
                && x < CELL.0
                && let Some(dot) = self.0.get_mut(y * CELL.0 + x)
            {
                *dot = color.is_on();
            }
        }
        Ok(())
    }
}

fn draw_row(sheet: &mut Sheet, row: &Row, top: usize) {
    let wide = row.size.columns();
    let tall = if height(row.size) > CELL.1 * 2 { 2 } else { 1 };
    for (column, letter) in row.text.chars().enumerate().filter(|(_, letter)| *letter != ' ') {
        let mut drawn = Letter([false; CELL.0 * CELL.1]);
        let mut buffer = [0; 4];
        let style = MonoTextStyle::new(&FONT_10X20, BinaryColor::On);
        let Ok(_) = Text::with_baseline(letter.encode_utf8(&mut buffer), Point::new(1, 2), style, Baseline::Top).draw(&mut drawn);
        for (at, _) in drawn.0.iter().enumerate().filter(|(_, dot)| **dot) {
            let left = MARGIN + (column * CELL.0 + at % CELL.0) * wide;
            // Bold is struck twice, a dot further.
            let thick = wide + usize::from(row.bold) * wide;
            sheet.fill(left, top + (at / CELL.0) * tall, thick, tall);
        }
    }
}

/// A paper as a PNG.
///
/// # Errors
/// When the picture cannot be written, which memory does not refuse.
pub fn picture(paper: &Printed) -> Result<Vec<u8>, png::EncodingError> {
    let width = paper.columns * CELL.0 + 2 * MARGIN;
    let size_of = |laid: &Laid| match laid {
        Laid::Row(row) => height(row.size),
        Laid::Code(data) => crate::qr::code(data).map_or(0, |code| (usize::try_from(code.size()).unwrap_or(0) + 8) * MODULE),
        Laid::Cut | Laid::Drawer => 0,
    };
    let length: usize = paper.laid.iter().map(size_of).sum();
    let mut sheet = Sheet::new(width, length + 3 * MARGIN);
    let mut top = MARGIN;
    for laid in &paper.laid {
        match laid {
            Laid::Row(row) => draw_row(&mut sheet, row, top),
            Laid::Code(data) => {
                if let Some(code) = crate::qr::code(data) {
                    let size = usize::try_from(code.size()).unwrap_or(0);
                    let left = width.saturating_sub(size * MODULE) / 2;
                    let dark =
                        (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y))).filter(|(x, y)| code.get_module(*x, *y));
                    for (x, y) in dark {
                        let (x, y) = (usize::try_from(x).unwrap_or(0), usize::try_from(y).unwrap_or(0));
                        sheet.fill(left + x * MODULE, top + (y + 4) * MODULE, MODULE, MODULE);
                    }
                }
            }
            Laid::Cut | Laid::Drawer => {}
        }
        top += size_of(laid);
    }
    encode(&sheet, paper.was_cut)
}

/// Eight dots a byte; white is one. Torn paper has a ragged end.
fn encode(sheet: &Sheet, was_cut: bool) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let (width, height) = (u32::try_from(sheet.width).unwrap_or(u32::MAX), u32::try_from(sheet.height()).unwrap_or(u32::MAX));
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut bytes = Vec::with_capacity(sheet.width.div_ceil(8) * sheet.height());
    for (y, row) in sheet.rows.chunks(sheet.width).enumerate() {
        let is_torn = |x: usize| !was_cut && y + 6 > sheet.height() + (x / 6 + x / 10) % 5 - 4;
        for eight in row.iter().enumerate().collect::<Vec<_>>().chunks(8) {
            bytes.push(eight.iter().enumerate().fold(0_u8, |byte, (at, (x, dark))| {
                let white = !**dark && !is_torn(*x);
                byte | (u8::from(white) << (7 - at))
            }));
        }
    }
    encoder.write_header()?.write_image_data(&bytes)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::receipt::Size;

    #[test]
    fn a_picture_is_as_wide_as_the_roll_and_shows_ink_where_letters_are() {
        let row = |text: &str, size| Laid::Row(Row { text: text.to_owned(), bold: true, size });
        let paper = Printed {
            columns: 32,
            laid: vec![
                row("CLÔTURE œ€", Size::Normal),
                row("", Size::Normal),
                row("Z n° 1", Size::Double),
                Laid::Code("T-01-1.abc".to_owned()),
            ],
            was_cut: true,
        };
        let file = picture(&paper).expect("a picture");
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().expect("a PNG");
        let mut dots = vec![0; reader.output_buffer_size().expect("a small picture")];
        let info = reader.next_frame(&mut dots).expect("its dots");
        assert_eq!((info.width, info.height), (32 * 12 + 48, 30 + 30 + 54 + (21 + 8) * 4 + 72));
        let line = info.line_size;
        let has_ink = |from: usize, to: usize| dots[from * line..to * line].iter().any(|byte| *byte != 0xff);
        assert!(has_ink(24, 54) && !has_ink(54, 84) && has_ink(84, 138) && has_ink(138, 254) && !has_ink(260, 302));
    }
}
