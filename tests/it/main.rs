//! Tests through the doors that users go through, and tests of the house itself.
//! Every file of this folder is named here (`tidy` looks).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod addresses;
mod archive_readme;
mod archive_run;
mod budgets;
mod certificates;
mod corpus;
mod crash;
mod door;
mod dry_run;
mod endurance;
mod export;
mod extract_command;
mod formats;
mod framing;
mod full_disk;
mod gazette;
mod hand_clock;
mod healthy;
mod hostile;
mod invariants;
mod judge;
mod lantern;
mod licences;
mod name_server;
mod names;
mod ordinary_sites;
mod origin;
mod pace;
mod patience;
mod politeness_page;
mod proxies;
mod readers;
mod readme;
mod replayed;
mod revisits;
mod robots;
mod robots_cache;
mod robots_rules;
mod scope;
mod scripted_web;
mod secrets;
mod seed_document;
mod store_contract;
mod surt_keys;
mod sweep;
mod tidy;
mod traps;
mod upkeep;
mod urls;
mod verify;
mod whole_crawl;
mod wire_cases;
mod zstd;
