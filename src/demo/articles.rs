//! What the paper prints: twelve articles, their pictures, and how each page marks them up.
//!
//! The prose stands in `content/`: a paragraph a line, `## ` before a heading, `> ` before a quotation, `[[1]]` where
//! the first picture stands. Everything in it is invented.

use super::picture::Scene;

/// The news host.
pub(super) const NEWS: &str = "lantern.example";
/// The picture host.
pub(super) const PICTURES: &str = "img.lantern.example";
/// A host with a `Crawl-delay`, where one of the articles stands.
pub(super) const SIDE: &str = "side.lantern.example";
/// The relay that one article's pictures point to. Nothing is served there.
pub(super) const DEAD: &str = "cors.lantern.example";

/// One article.
pub(super) struct Article {
    pub host: &'static str,
    pub path: &'static str,
    pub language: &'static str,
    pub title: &'static str,
    pub byline: &'static str,
    /// RFC 3339, at an hour at which it is the same day in Greenwich.
    pub published: &'static str,
    pub section: &'static str,
    pub summary: &'static str,
    pub content: &'static str,
    pub manner: Manner,
    pub metadata: Metadata,
    pub listed: Listed,
    pub figures: &'static [Figure],
}

/// How a page marks up its pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// `<img src>`.
    Plain,
    /// `<img src srcset sizes>`.
    Srcset,
    /// `<picture><source>`.
    Source,
    /// A placeholder in `src`, the picture in `data-src`.
    DataSrc,
    /// A placeholder in `src`, the pictures in `data-srcset`.
    DataSrcset,
    /// A placeholder in `src`, the picture in a `<noscript>` beside it.
    Noscript,
    /// The seed document's: the picture in `data-original`, the dead relay in `src`.
    Relayed,
}

/// Where a page says who wrote it and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metadata {
    /// `<meta>` elements, Open Graph.
    Meta,
    /// JSON-LD.
    Json,
    /// Only a line of text, on a page in GBK.
    VisibleGbk,
    /// Only a line of text.
    Visible,
}

/// Which of the site's lists name an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The front page, and the related lists of other articles.
    pub front: bool,
    /// The RSS feed.
    pub feed: bool,
    /// The sitemap.
    pub sitemap: bool,
}

/// One picture of an article.
pub(super) struct Figure {
    pub name: &'static str,
    pub scene: Scene,
    pub width: u32,
    pub height: u32,
    /// The smaller widths it also comes in.
    pub smaller: &'static [u32],
    /// It is named on the page and answers 404.
    pub missing: bool,
    pub caption: &'static str,
}

const fn figure(name: &'static str, scene: Scene, size: (u32, u32), caption: &'static str) -> Figure {
    Figure { name, scene, width: size.0, height: size.1, smaller: &[], missing: false, caption }
}

const EVERYWHERE: Listed = Listed { front: true, feed: true, sitemap: true };
const NOT_IN_FEED: Listed = Listed { front: true, feed: false, sitemap: true };

/// The articles in the order of the front page.
pub(super) const ARTICLES: [Article; 12] = [
    Article {
        host: NEWS,
        path: "/2026/11/winter-kitchen-notes.html",
        language: "en",
        title: "Notes from a kitchen that feeds three hundred",
        byline: "Lucía Moreno",
        published: "2026-11-18T12:05:00+08:00",
        section: "City",
        summary: "Six burners, two ovens and one rule: nobody is asked why they came.",
        content: include_str!("content/winter-kitchen-notes.txt"),
        manner: Manner::Noscript,
        metadata: Metadata::Meta,
        listed: EVERYWHERE,
        figures: &[
            figure("kitchen-leeks", Scene::Table, (960, 640), "Nine crates of leeks, before ten o'clock."),
            figure("kitchen-queue", Scene::Street, (800, 533), "The queue goes round the building."),
        ],
    },
    Article {
        host: NEWS,
        path: "/2026/11/haidao-guancha.html",
        language: "zh-CN",
        title: "守岛人的第一千次潮汐记录",
        byline: "林若兰",
        published: "2026-11-14T09:40:00+08:00",
        section: "海岸",
        summary: "三年里，备注栏写得最多的两个字是“无事”。",
        content: include_str!("content/haidao-guancha.txt"),
        manner: Manner::Plain,
        metadata: Metadata::Json,
        listed: EVERYWHERE,
        figures: &[
            figure("island-light", Scene::Harbour, (1280, 720), "从补给船上看灯塔岛。"),
            figure("island-rocks", Scene::Hills, (800, 533), "量水的礁石在小岛南侧。"),
            figure("island-gulls", Scene::Birds, (900, 600), "今年秋天的灰背鸥。"),
            figure("island-night", Scene::Night, (640, 427), "补给日的夜晚，码头上挂起了灯。"),
        ],
    },
    Article {
        host: NEWS,
        path: "/2026/11/rain-gauge-volunteers.html",
        language: "en",
        title: "Forty gardens, forty gauges: who really measures the rain",
        byline: "Owen Marsh",
        published: "2026-11-12T11:20:00+08:00",
        section: "Weather",
        summary: "The airport stands on the dry side of the hill. The gardens do not.",
        content: include_str!("content/rain-gauge-volunteers.txt"),
        manner: Manner::Plain,
        metadata: Metadata::Meta,
        listed: EVERYWHERE,
        figures: &[
            figure("rain-garden", Scene::Hills, (1024, 683), "A garden above Tanner's Brook."),
            figure("rain-october", Scene::Chart, (960, 540), "Millimetres on the ninth of October, by garden."),
            Figure { missing: true, ..figure("rain-snow", Scene::Hills, (960, 640), "A cracked tube, last January.") },
        ],
    },
    Article {
        host: NEWS,
        path: "/2026/11/xiaochengxu-yuehuo.html",
        language: "zh-CN",
        title: "渡轮小程序上线半年，月活跃用户为什么能过三十万？",
        byline: "沈若愚",
        published: "2026-11-10T10:12:00+08:00",
        section: "新媒体",
        summary: "乘客第一次知道自己还有几分钟可以买一杯豆浆。",
        content: include_str!("content/xiaochengxu-yuehuo.txt"),
        manner: Manner::Relayed,
        metadata: Metadata::Visible,
        listed: EVERYWHERE,
        figures: &[
            figure("6910f2b08e9f096a0d7cfd69_1024", Scene::Harbour, (1600, 1067), ""),
            figure("6910f2b08e9f096a0d7cfd6a_1024", Scene::Chart, (661, 480), ""),
            figure("6910f2b08e9f096a0d7cfd6b_1024", Scene::Map, (1024, 683), ""),
            figure("6910f2b08e9f096a0d7cfd6c_1024", Scene::Chart, (960, 566), ""),
        ],
    },
    Article {
        host: NEWS,
        path: "/2026/11/library-seed-exchange.html",
        language: "en",
        title: "The library lends seeds, and wants them back",
        byline: "Priya Raman",
        published: "2026-11-09T15:30:00+08:00",
        section: "City",
        summary: "Take five packets, grow them, return twice as many. There are no fines.",
        content: include_str!("content/library-seed-exchange.txt"),
        manner: Manner::DataSrc,
        metadata: Metadata::Json,
        listed: NOT_IN_FEED,
        figures: &[
            figure("seeds-catalogue", Scene::Paper, (1024, 683), "The rules fit on a bookmark."),
            figure("seeds-lettuce", Scene::Table, (800, 533), "What three gardens brought back."),
            figure("seeds-ornament", Scene::Table, (640, 427), "Round, striped and inedible."),
        ],
    },
    Article {
        host: NEWS,
        path: "/2026/11/tide-clock-restored.html",
        language: "en",
        title: "A tide clock ticks again in the customs hall",
        byline: "Ingrid Sol",
        published: "2026-11-07T09:55:00+08:00",
        section: "Harbour",
        summary: "It has two hands, shows no hours, and is nine minutes out.",
        content: include_str!("content/tide-clock-restored.txt"),
        manner: Manner::Source,
        metadata: Metadata::Meta,
        listed: NOT_IN_FEED,
        figures: &[
            Figure {
                smaller: &[640],
                ..figure("clock-dial", Scene::Table, (1280, 853), "The dial, with November in red.")
            },
            Figure {
                smaller: &[640],
                ..figure("clock-plan", Scene::Map, (1280, 853), "A page from Anselm Roe's notes, redrawn.")
            },
        ],
    },
    Article {
        host: NEWS,
        path: "/2026/11/night-market-count.html",
        language: "en",
        title: "How many dumplings? The night market is counted for the first time",
        byline: "Tomas Adeyemi",
        published: "2026-11-05T18:45:00+08:00",
        section: "City",
        summary: "18,600 visitors, 31,450 portions, and one stall that will not say how large the pot is.",
        content: include_str!("content/night-market-count.txt"),
        manner: Manner::Srcset,
        metadata: Metadata::Meta,
        listed: EVERYWHERE,
        figures: &[
            Figure {
                smaller: &[480, 960],
                ..figure("market-square", Scene::Night, (1440, 960), "The covered square on the second Friday.")
            },
            Figure {
                smaller: &[480, 960],
                ..figure("market-portions", Scene::Chart, (1440, 960), "Portions by size of stall.")
            },
        ],
    },
    Article {
        host: NEWS,
        path: "/2026/11/laojie-chaguan.html",
        language: "zh-CN",
        title: "老街茶馆与一座城市的早晨",
        byline: "何清源",
        published: "2026-11-04T09:20:00+08:00",
        section: "城市",
        summary: "卖菜的喝不起的茶，不叫早茶。",
        content: include_str!("content/laojie-chaguan.txt"),
        manner: Manner::Plain,
        metadata: Metadata::VisibleGbk,
        listed: NOT_IN_FEED,
        figures: &[
            figure("teahouse-lane", Scene::Street, (900, 600), "清晨的转角。"),
            figure("teahouse-table", Scene::Table, (800, 533), "老客人凭圆圈认自己的位置。"),
            figure("teahouse-wall", Scene::Street, (640, 480), "整治后的外墙。"),
        ],
    },
    Article {
        host: NEWS,
        path: "/2026/11/harbour-bridge-reopens.html",
        language: "en",
        title: "Old Harbour Bridge reopens to walkers after fourteen months",
        byline: "Nora Finch",
        published: "2026-11-02T10:15:00+08:00",
        section: "Harbour",
        summary: "New bearings, a deck of larch, and the same low note in the wind.",
        content: include_str!("content/harbour-bridge-reopens.txt"),
        manner: Manner::Plain,
        metadata: Metadata::Json,
        listed: EVERYWHERE,
        figures: &[
            figure("bridge-dawn", Scene::Bridge, (1600, 900), "Monday, a quarter past six."),
            figure("bridge-deck", Scene::Bridge, (1024, 683), "Larch planks, a finger's width apart."),
            figure(
                "bridge-ferry",
                Scene::Harbour,
                (800, 533),
                "The electric ferry keeps running until the end of the month.",
            ),
        ],
    },
    Article {
        host: NEWS,
        path: "/2026/11/ditie-erhaoxian.html",
        language: "zh-CN",
        title: "地铁二号线试跑：从老码头到大学城只要十九分钟",
        byline: "周启明",
        published: "2026-11-16T16:00:00+08:00",
        section: "城市",
        summary: "车上坐着的不是乘客，而是三吨沙袋和二十六名工程师。",
        content: include_str!("content/ditie-erhaoxian.txt"),
        manner: Manner::DataSrcset,
        metadata: Metadata::Json,
        listed: Listed { front: false, feed: true, sitemap: false },
        figures: &[
            Figure { smaller: &[640], ..figure("metro-line", Scene::Map, (1280, 853), "二号线线路图。") },
            figure("metro-station", Scene::Street, (960, 640), "老码头站的出入口。"),
            figure("metro-load", Scene::Chart, (800, 450), "一百天试跑的载重计划。"),
        ],
    },
    Article {
        host: NEWS,
        path: "/2026/10/chengshi-yangfeng.html",
        language: "zh-CN",
        title: "把蜂箱搬上屋顶的人",
        byline: "方晓禾",
        published: "2026-10-30T14:10:00+08:00",
        section: "城市",
        summary: "她想数一点会自己变多的东西。",
        content: include_str!("content/chengshi-yangfeng.txt"),
        manner: Manner::Plain,
        metadata: Metadata::Meta,
        listed: Listed { front: false, feed: false, sitemap: true },
        figures: &[
            figure("bees-roof", Scene::Street, (1024, 683), "城南的屋顶。"),
            figure("bees-map", Scene::Map, (800, 600), "两公里之内的花期地图。"),
        ],
    },
    Article {
        host: SIDE,
        path: "/2026/10/ferry-timetable.html",
        language: "en",
        title: "Four colours and a goat: reading the winter ferry timetable",
        byline: "Nora Finch",
        published: "2026-10-28T13:00:00+08:00",
        section: "Harbour",
        summary: "There is a column that is empty on purpose.",
        content: include_str!("content/ferry-timetable.txt"),
        manner: Manner::Plain,
        metadata: Metadata::Meta,
        listed: Listed { front: false, feed: false, sitemap: true },
        figures: &[
            figure(
                "ferry-pier",
                Scene::Harbour,
                (960, 640),
                "The lamp at the pier shows green when the boat will really leave.",
            ),
            figure("ferry-table", Scene::Paper, (800, 600), "The timetable, with the column headed R."),
        ],
    },
];

impl Article {
    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.host, self.path)
    }

    /// The year and month that its pictures are filed under.
    fn folder(&self) -> &'static str {
        &self.path[1..8]
    }

    /// The address of a picture in its full size.
    pub fn picture(&self, figure: &Figure) -> String {
        format!("http://{PICTURES}/{}/{}.png", self.folder(), figure.name)
    }

    /// The address of a picture in a smaller width.
    pub fn smaller(&self, figure: &Figure, width: u32) -> String {
        format!("http://{PICTURES}/{}/{}-{width}.png", self.folder(), figure.name)
    }

    /// The day of publication.
    pub fn day(&self) -> &'static str {
        &self.published[..10]
    }

    /// The picture that the metadata of the page name.
    pub fn lead(&self) -> Option<String> {
        let named = matches!(self.metadata, Metadata::Meta | Metadata::Json);
        self.figures.first().filter(|_| named).map(|figure| self.picture(figure))
    }
}

impl Figure {
    /// The height it has in a smaller width.
    pub fn height_at(&self, width: u32) -> u32 {
        self.height * width / self.width
    }
}
