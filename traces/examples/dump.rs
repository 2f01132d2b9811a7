//! Prints a trace call by call: what a person who works on the recorder wants to see.

use std::path::Path;

fn main() -> Result<(), traces::Error> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "trace.msgpack".to_owned());
    let trace = traces::open(Path::new(&path))?;
    println!("{} ranks, {} calls, damage {:?}", trace.world_size, trace.event_count(), trace.damage);
    for lane in &trace.lanes {
        let process = &trace.processes[lane.process as usize];
        println!("rank {:?} thread {} {:?} {}", lane.rank, lane.thread, process.ending, process.library);
        for event in &lane.events {
            let call = trace.call(event.call);
            let site = call.site.map(|s| format!("{:#x}", trace.site(s).offset)).unwrap_or_default();
            let outcome = event.outcome.map(|o| trace.outcome(o));
            let results = outcome.map_or("never returned".to_owned(), |o| format!("{} {:?}", o.code, o.results));
            println!(
                "{:>12} +{:<9} {site} {} -> {results} {:x?}",
                event.start_ns,
                event.duration_ns,
                call.to_text(),
                lane.words_of(event)
            );
        }
    }
    Ok(())
}
