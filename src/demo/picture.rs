//! Pictures that are drawn when they are needed: real PNGs, the same on every run.
//!
//! Drawing is in per mille of width and height, so that one scene in several sizes is one picture.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// What is to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scene {
    /// Water, sun and sails.
    Harbour,
    /// Two towers, a deck and its hangers.
    Bridge,
    /// Houses with some windows lit.
    Street,
    /// Ridges behind ridges.
    Hills,
    /// Bars over an axis.
    Chart,
    /// A river, roads and stations.
    Map,
    /// Plates and cups seen from above.
    Table,
    /// Lanterns over a dark square.
    Night,
    /// A flock in the sky.
    Birds,
    /// A printed sheet.
    Paper,
}

/// One picture in one size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture {
    /// What it shows.
    pub scene: Scene,
    /// Which of the endless pictures of that scene.
    pub seed: u32,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// The picture as a PNG with a palette (PNG, second edition, 11.2).
pub(super) fn png(picture: Picture) -> Vec<u8> {
    let mut canvas = Canvas::blank(picture);
    let dice = &mut Dice(picture.seed.wrapping_mul(2_654_435_761) | 1);
    match picture.scene {
        Scene::Harbour => harbour(&mut canvas, dice),
        Scene::Bridge => bridge(&mut canvas),
        Scene::Street => street(&mut canvas, dice),
        Scene::Hills => hills(&mut canvas, dice),
        Scene::Chart => chart(&mut canvas, dice),
        Scene::Map => map(&mut canvas, dice),
        Scene::Table => table(&mut canvas, dice),
        Scene::Night => night(&mut canvas, dice),
        Scene::Birds => birds(&mut canvas, dice),
        Scene::Paper => paper(&mut canvas, dice),
    }
    canvas.grain(dice);
    canvas.encode(&palette(picture.seed))
}

/// Colours of a palette. A ramp runs over several, the rest are single.
mod colour {
    pub const SKY: u8 = 0;
    pub const SKY_LENGTH: i32 = 24;
    pub const WATER: u8 = 24;
    pub const WATER_LENGTH: i32 = 16;
    pub const DARK: u8 = 40;
    pub const DUSK: u8 = 41;
    pub const STONE: u8 = 42;
    pub const PALE: u8 = 43;
    pub const ACCENT: u8 = 44;
    pub const SECOND: u8 = 45;
    pub const GLOW: u8 = 46;
    pub const INK: u8 = 47;
    pub const COUNT: usize = 48;
}

type Rgb = [u8; 3];

/// The light of a picture: sky from top to horizon, water from horizon to shore, accent.
const LIGHTS: [[Rgb; 5]; 5] = [
    [[76, 120, 168], [226, 214, 196], [120, 150, 170], [28, 52, 78], [206, 92, 48]],
    [[32, 44, 86], [240, 150, 96], [180, 110, 96], [24, 30, 56], [250, 196, 92]],
    [[150, 182, 204], [236, 238, 230], [140, 172, 176], [58, 92, 96], [60, 128, 110]],
    [[96, 104, 128], [202, 196, 190], [124, 132, 140], [48, 56, 66], [170, 60, 72]],
    [[58, 112, 120], [246, 222, 170], [150, 168, 140], [36, 70, 66], [232, 140, 40]],
];

/// Every colour twice: as it is and a little brighter, which is the grain.
fn palette(seed: u32) -> Vec<u8> {
    let [top, horizon, near, far, accent] = LIGHTS[seed as usize % LIGHTS.len()];
    let mix = |from: Rgb, to: Rgb, step: i32, steps: i32| -> Rgb {
        std::array::from_fn(|i| (i32::from(from[i]) + (i32::from(to[i]) - i32::from(from[i])) * step / steps) as u8)
    };
    let mut colours: Vec<Rgb> = Vec::with_capacity(colour::COUNT);
    colours.extend((0..colour::SKY_LENGTH).map(|step| mix(top, horizon, step, colour::SKY_LENGTH)));
    colours.extend((0..colour::WATER_LENGTH).map(|step| mix(near, far, step, colour::WATER_LENGTH)));
    let second = [accent[2], accent[0], accent[1]];
    let singles =
        [[24, 26, 34], [62, 66, 82], [150, 146, 140], [240, 236, 226], accent, second, [255, 226, 150], [40, 40, 44]];
    colours.extend(singles);
    colours.iter().flat_map(|rgb| [*rgb, rgb.map(|part| part.saturating_add(7))]).flatten().collect()
}

/// Xorshift (Marsaglia 2003): the same rolls on every machine.
struct Dice(u32);

impl Dice {
    fn roll(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// At least `low`, less than `high`.
    fn between(&mut self, low: i32, high: i32) -> i32 {
        low + (self.roll() % (high - low).max(1) as u32) as i32
    }
}

/// Pixels as places in the palette.
struct Canvas {
    width: i32,
    height: i32,
    pixels: Vec<u8>,
}

/// A place, in per mille of width and height.
type Point = (i32, i32);

impl Canvas {
    fn blank(picture: Picture) -> Canvas {
        let pixels = vec![colour::PALE * 2; picture.width as usize * picture.height as usize];
        Canvas { width: picture.width as i32, height: picture.height as i32, pixels }
    }

    /// Pixels from `from` to before `to` of one line.
    fn span(&mut self, y: i32, from: i32, to: i32, colour: u8) {
        let (from, to) = (from.clamp(0, self.width), to.clamp(0, self.width));
        if (0..self.height).contains(&y) && from < to {
            let row = (y * self.width) as usize;
            self.pixels[row + from as usize..row + to as usize].fill(colour * 2);
        }
    }

    fn across(&self, per_mille: i32) -> i32 {
        per_mille * self.width / 1000
    }

    fn down(&self, per_mille: i32) -> i32 {
        per_mille * self.height / 1000
    }

    fn rectangle(&mut self, from: Point, to: Point, colour: u8) {
        let (left, right) = (self.across(from.0), self.across(to.0).max(self.across(from.0) + 1));
        for y in self.down(from.1)..self.down(to.1).max(self.down(from.1) + 1) {
            self.span(y, left, right, colour);
        }
    }

    /// Bands of a ramp between two heights.
    fn ramp(&mut self, from: i32, to: i32, first: u8, length: i32) {
        for step in 0..length {
            let (top, bottom) = (from + (to - from) * step / length, from + (to - from) * (step + 1) / length);
            self.rectangle((0, top), (1000, bottom), first + step as u8);
        }
    }

    /// A disc whose radius is in per mille of the height.
    fn disc(&mut self, at: Point, radius: i32, colour: u8) {
        let (x, y, radius) = (self.across(at.0), self.down(at.1), self.down(radius).max(1));
        for line in -radius..=radius {
            let half = f64::from(radius * radius - line * line).sqrt() as i32;
            self.span(y + line, x - half, x + half + 1, colour);
        }
    }

    fn line(&mut self, from: Point, to: Point, thick: i32, colour: u8) {
        let (x0, y0, x1, y1) = (self.across(from.0), self.down(from.1), self.across(to.0), self.down(to.1));
        let thick = (thick * self.height / 1000).max(1);
        let steps = (x1 - x0).abs().max((y1 - y0).abs()).max(1);
        for step in 0..=steps {
            let (x, y) = (x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps);
            for line in y - thick / 2..=y + thick / 2 {
                self.span(line, x - thick / 2, x + thick / 2 + 1, colour);
            }
        }
    }

    /// A sail: upright at `foot`, `tall` high, `wide` at its base.
    fn sail(&mut self, foot: Point, wide: i32, tall: i32, colour: u8) {
        let (x, bottom, wide, tall) =
            (self.across(foot.0), self.down(foot.1), self.across(wide), self.down(tall).max(1));
        for line in 0..tall {
            self.span(bottom - line, x, x + wide * (tall - line) / tall, colour);
        }
    }

    /// Grain on every second line, as a sensor has it: without it a picture this plain would be a kilobyte.
    fn grain(&mut self, dice: &mut Dice) {
        for row in self.pixels.chunks_mut(self.width as usize).step_by(2) {
            let mut noise = 0;
            for (x, pixel) in row.iter_mut().enumerate() {
                if x % 32 == 0 {
                    noise = dice.roll();
                }
                *pixel |= (noise & 1) as u8;
                noise >>= 1;
            }
        }
    }

    fn encode(&self, palette: &[u8]) -> Vec<u8> {
        // Eight bits a pixel, colour type 3; no filter, which suits palettes (12.8).
        let mut header = Vec::new();
        header.extend_from_slice(&(self.width as u32).to_be_bytes());
        header.extend_from_slice(&(self.height as u32).to_be_bytes());
        header.extend_from_slice(&[8, 3, 0, 0, 0]);
        let mut rows = Vec::with_capacity(self.pixels.len() + self.height as usize);
        for row in self.pixels.chunks(self.width as usize) {
            rows.push(0);
            rows.extend_from_slice(row);
        }
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, data) in [(b"IHDR", &header[..]), (b"PLTE", palette), (b"IDAT", &zlib(&rows)), (b"IEND", &[])] {
            out.extend_from_slice(&(data.len() as u32).to_be_bytes());
            let mut sum = flate2::Crc::new();
            for part in [&kind[..], data] {
                out.extend_from_slice(part);
                sum.update(part);
            }
            out.extend_from_slice(&sum.sum().to_be_bytes());
        }
        out
    }
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes what is written")
}

fn sky(canvas: &mut Canvas, horizon: i32) {
    canvas.ramp(0, horizon, colour::SKY, colour::SKY_LENGTH);
}

fn water(canvas: &mut Canvas, horizon: i32) {
    canvas.ramp(horizon, 1000, colour::WATER, colour::WATER_LENGTH);
}

fn waves(canvas: &mut Canvas, dice: &mut Dice, horizon: i32) {
    for _ in 0..70 {
        let (x, y) = (dice.between(0, 1000), dice.between(horizon + 15, 1000));
        let wide = dice.between(10, 30 + (y - horizon) / 4);
        canvas.rectangle((x, y), (x + wide, y + 2), colour::SKY + 20);
    }
}

fn harbour(canvas: &mut Canvas, dice: &mut Dice) {
    let horizon = dice.between(420, 560);
    sky(canvas, horizon);
    canvas.disc((dice.between(150, 850), horizon - dice.between(60, 260)), 62, colour::GLOW);
    water(canvas, horizon);
    waves(canvas, dice, horizon);
    for _ in 0..dice.between(3, 7) {
        let (x, y) = (dice.between(40, 880), dice.between(horizon + 30, 860));
        let size = 40 + (y - horizon) / 3;
        canvas.rectangle((x, y), (x + size, y + size / 5), colour::DARK);
        canvas.rectangle((x + size / 2 - 2, y - size * 2), (x + size / 2 + 2, y), colour::DUSK);
        canvas.sail((x + size / 2 + 3, y - size / 6), size / 2, size * 3 / 2, colour::PALE);
    }
    canvas.rectangle((0, 950), (1000, 1000), colour::DUSK);
    for post in 0..9 {
        canvas.rectangle((post * 120 + 20, 900), (post * 120 + 34, 1000), colour::DARK);
    }
}

fn bridge(canvas: &mut Canvas) {
    sky(canvas, 620);
    water(canvas, 620);
    canvas.disc((780, 240), 60, colour::GLOW);
    for (hump, tall) in [(0, 120), (180, 90), (390, 150), (640, 100), (850, 140)] {
        canvas.disc((hump + 60, 640), tall, colour::DUSK);
    }
    water(canvas, 630);
    let towers = [270, 730];
    for tower in towers {
        canvas.rectangle((tower - 14, 160), (tower + 14, 760), colour::DARK);
        canvas.rectangle((tower - 30, 740), (tower + 30, 790), colour::STONE);
    }
    canvas.rectangle((0, 560), (1000, 584), colour::ACCENT);
    let sag = |x: i32| 540 - (540 - 170) * (x * x) / (230 * 230);
    for step in -23..23 {
        let (here, next) = (step * 10, step * 10 + 10);
        canvas.line((500 + here, sag(here)), (500 + next, sag(next)), 6, colour::DARK);
        if step % 2 == 0 {
            canvas.line((500 + here, sag(here)), (500 + here, 560), 2, colour::DUSK);
        }
    }
    canvas.line((270, 170), (0, 520), 6, colour::DARK);
    canvas.line((730, 170), (1000, 520), 6, colour::DARK);
}

fn street(canvas: &mut Canvas, dice: &mut Dice) {
    sky(canvas, 1000);
    let mut x = -20;
    while x < 1000 {
        let (wide, top) = (dice.between(70, 150), dice.between(180, 520));
        let wall = [colour::DUSK, colour::STONE, colour::DARK][dice.between(0, 3) as usize];
        canvas.rectangle((x, top), (x + wide, 880), wall);
        canvas.rectangle((x - 4, top - 14), (x + wide + 4, top), colour::INK);
        for (column, row) in (0..wide / 28).flat_map(|column| (0..(820 - top) / 70).map(move |row| (column, row))) {
            let lit = if dice.roll().is_multiple_of(3) { colour::GLOW } else { colour::SKY + 6 };
            let (left, up) = (x + 10 + column * 28, top + 30 + row * 70);
            canvas.rectangle((left, up), (left + 14, up + 38), lit);
        }
        x += wide + 6;
    }
    canvas.rectangle((0, 880), (1000, 1000), colour::INK);
    for step in 0..10 {
        canvas.rectangle((step * 110, 935), (step * 110 + 60, 942), colour::PALE);
    }
}

fn hills(canvas: &mut Canvas, dice: &mut Dice) {
    sky(canvas, 800);
    canvas.disc((dice.between(200, 800), 220), 50, colour::GLOW);
    for (ridge, shade) in [(0, colour::WATER + 2), (1, colour::WATER + 7), (2, colour::WATER + 13)] {
        let base = f64::from(470 + ridge * 150);
        let (first, second) = (f64::from(dice.between(0, 628)) / 100.0, f64::from(dice.between(0, 628)) / 100.0);
        // In steps of a few pixels, which is how such ridges look from afar.
        for x in (0..1000).step_by(2) {
            let at = f64::from(x) / 1000.0;
            let top = base + 70.0 * (at * 5.0 + first).sin() + 34.0 * (at * 14.0 + second).sin();
            canvas.rectangle((x, top as i32), (x + 2, 1000), shade);
        }
    }
    for _ in 0..40 {
        let (x, y) = (dice.between(0, 1000), dice.between(860, 990));
        canvas.disc(
            (x, y),
            dice.between(4, 12),
            [colour::ACCENT, colour::SECOND, colour::PALE][dice.between(0, 3) as usize],
        );
    }
}

fn chart(canvas: &mut Canvas, dice: &mut Dice) {
    for line in 1..8 {
        canvas.rectangle((80, 880 - line * 100), (960, 882 - line * 100), colour::STONE);
    }
    let bars = dice.between(7, 13);
    let step = 860 / bars;
    for bar in 0..bars {
        let tall = dice.between(80, 740);
        let shade = if bar == bars - 2 { colour::ACCENT } else { colour::WATER + 6 };
        canvas.rectangle((100 + bar * step, 880 - tall), (100 + bar * step + step * 2 / 3, 880), shade);
        canvas.rectangle((100 + bar * step, 910), (100 + bar * step + step / 2, 922), colour::INK);
    }
    canvas.rectangle((80, 880), (970, 886), colour::INK);
    canvas.rectangle((80, 90), (84, 884), colour::INK);
    canvas.rectangle((80, 36), (420, 60), colour::INK);
}

fn map(canvas: &mut Canvas, dice: &mut Dice) {
    for _ in 0..26 {
        let (x, y) = (dice.between(0, 900), dice.between(0, 900));
        canvas.rectangle((x, y), (x + dice.between(40, 160), y + dice.between(40, 160)), colour::SKY + 21);
    }
    let mut river = (0, dice.between(300, 700));
    while river.0 < 1000 {
        let next = (river.0 + 125, (river.1 + dice.between(-120, 121)).clamp(150, 850));
        canvas.line(river, next, 70, colour::WATER + 3);
        river = next;
    }
    for _ in 0..12 {
        let road = (dice.between(0, 1000), dice.between(0, 1000));
        canvas.line((road.0, 0), (road.1, 1000), 5, colour::STONE);
        canvas.line((0, road.1), (1000, road.0), 5, colour::STONE);
    }
    let mut stop = (60, dice.between(100, 900));
    for _ in 0..8 {
        let next = (stop.0 + 125, (stop.1 + dice.between(-150, 151)).clamp(60, 940));
        canvas.line(stop, next, 14, colour::ACCENT);
        canvas.disc(stop, 18, colour::INK);
        canvas.disc(stop, 11, colour::PALE);
        stop = next;
    }
}

fn table(canvas: &mut Canvas, dice: &mut Dice) {
    canvas.ramp(0, 1000, colour::WATER, colour::WATER_LENGTH);
    for stripe in 0..12 {
        canvas.rectangle((stripe * 84, 0), (stripe * 84 + 30, 1000), colour::WATER + 9);
    }
    for place in 0..6 {
        let at = (150 + (place % 3) * 350 + dice.between(-30, 31), 270 + (place / 3) * 460 + dice.between(-30, 31));
        let size = dice.between(120, 190);
        canvas.disc(at, size, colour::DARK);
        canvas.disc((at.0 - 4, at.1 - 6), size, colour::PALE);
        canvas.disc((at.0 - 4, at.1 - 6), size * 3 / 4, colour::STONE);
        for _ in 0..dice.between(4, 12) {
            let crumb = (at.0 + dice.between(-60, 61), at.1 + dice.between(-80, 81));
            canvas.disc(
                crumb,
                dice.between(10, 34),
                [colour::ACCENT, colour::SECOND, colour::GLOW][dice.between(0, 3) as usize],
            );
        }
    }
}

fn night(canvas: &mut Canvas, dice: &mut Dice) {
    canvas.rectangle((0, 0), (1000, 1000), colour::DARK);
    for _ in 0..120 {
        let star = (dice.between(0, 1000), dice.between(0, 420));
        canvas.disc(star, 2, colour::PALE);
    }
    for row in 0..3 {
        let line = 380 + row * 150;
        canvas.line((0, line - 40), (1000, line - 70 + row * 30), 3, colour::DUSK);
        for lantern in 0..9 {
            let at = (40 + lantern * 115 + dice.between(-15, 16), line + dice.between(-10, 11));
            canvas.disc(at, 34 + row * 8, colour::SECOND);
            canvas.disc(at, 26 + row * 7, colour::ACCENT);
            canvas.disc((at.0 - 4, at.1 - 6), 12 + row * 4, colour::GLOW);
        }
    }
    for _ in 0..34 {
        let head = (dice.between(0, 1000), dice.between(820, 960));
        canvas.disc(head, 22, colour::INK);
        canvas.rectangle((head.0 - 16, head.1 + 18), (head.0 + 16, 1000), colour::INK);
    }
}

fn birds(canvas: &mut Canvas, dice: &mut Dice) {
    sky(canvas, 1000);
    canvas.disc((dice.between(100, 900), dice.between(500, 900)), 90, colour::GLOW);
    for _ in 0..dice.between(24, 48) {
        let (x, y, wing) = (dice.between(30, 970), dice.between(60, 780), dice.between(8, 30));
        canvas.line((x - wing, y - wing), (x, y), 5, colour::INK);
        canvas.line((x, y), (x + wing, y - wing), 5, colour::INK);
    }
    canvas.rectangle((0, 900), (1000, 1000), colour::WATER + 12);
}

fn paper(canvas: &mut Canvas, dice: &mut Dice) {
    canvas.rectangle((0, 0), (1000, 1000), colour::STONE);
    canvas.rectangle((90, 60), (930, 1000), colour::DUSK);
    canvas.rectangle((80, 50), (920, 1000), colour::PALE);
    canvas.rectangle((140, 110), (dice.between(480, 760), 150), colour::INK);
    for line in 0..15 {
        let (y, last) = (210 + line * 50, line % 5 == 4);
        canvas.rectangle((140, y), (if last { dice.between(300, 700) } else { 860 }, y + 14), colour::DUSK);
    }
    canvas.rectangle((640, 560), (860, 760), colour::ACCENT);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    const ALL: [Scene; 10] = [
        Scene::Harbour,
        Scene::Bridge,
        Scene::Street,
        Scene::Hills,
        Scene::Chart,
        Scene::Map,
        Scene::Table,
        Scene::Night,
        Scene::Birds,
        Scene::Paper,
    ];

    #[test]
    fn every_scene_is_a_png_that_decodes() {
        for (seed, scene) in (0..).zip(ALL) {
            let picture = Picture { scene, seed, width: 161, height: 107 };
            let bytes = png(picture);
            let size = imagesize::blob_size(&bytes).unwrap();
            assert_eq!((size.width, size.height), (161, 107));
            assert_eq!(bytes, png(picture), "{scene:?} is the same on every run");
            let (mut at, mut coded) = (8, Vec::new());
            while at < bytes.len() {
                let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
                let (kind, data) = (&bytes[at + 4..at + 8], &bytes[at + 8..at + 8 + length]);
                if kind == b"IDAT" {
                    coded.extend_from_slice(data);
                }
                let mut sum = flate2::Crc::new();
                sum.update(&bytes[at + 4..at + 8 + length]);
                assert_eq!(bytes[at + 8 + length..][..4], sum.sum().to_be_bytes());
                at += 12 + length;
            }
            let mut rows = Vec::new();
            flate2::read::ZlibDecoder::new(&coded[..]).read_to_end(&mut rows).unwrap();
            assert_eq!(rows.len(), (161 + 1) * 107);
            assert!(rows.chunks(162).all(|row| row[0] == 0 && row[1..].iter().all(|pixel| *pixel < 96)));
            assert!(rows.iter().collect::<std::collections::HashSet<_>>().len() > 8, "{scene:?} is not blank");
        }
    }
}
