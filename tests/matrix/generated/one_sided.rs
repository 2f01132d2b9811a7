//! Every one-sided operation in every kind of epoch, outside of one, and beyond the window.

use super::Variant;

/// An operation of rank 1 on rank 2's window: `$D` stands for the displacement.
const OPERATIONS: [(&str, &str); 9] = [
    ("put", "MPI_Put(values, 1, MPI_INT, 2, $D, 1, MPI_INT, window);"),
    ("get", "MPI_Get(values, 1, MPI_INT, 2, $D, 1, MPI_INT, window);"),
    ("accumulate", "MPI_Accumulate(values, 1, MPI_INT, 2, $D, 1, MPI_INT, MPI_SUM, window);"),
    ("get_accumulate", "MPI_Get_accumulate(values, 1, MPI_INT, ones, 1, MPI_INT, 2, $D, 1, MPI_INT, MPI_SUM, window);"),
    ("fetch_and_op", "MPI_Fetch_and_op(values, ones, MPI_INT, 2, $D, MPI_SUM, window);"),
    ("compare_and_swap", "MPI_Compare_and_swap(values, ones, places, MPI_INT, 2, $D, window);"),
    ("rput", "MPI_Rput(values, 1, MPI_INT, 2, $D, 1, MPI_INT, window, &request);"),
    ("rget", "MPI_Rget(values, 1, MPI_INT, 2, $D, 1, MPI_INT, window, &request);"),
    ("raccumulate", "MPI_Raccumulate(values, 1, MPI_INT, 2, $D, 1, MPI_INT, MPI_SUM, window, &request);"),
];

/// An epoch: what all ranks call, then rank 1, before the operation, and rank 1 and then all after it.
struct Epoch {
    name: &'static str,
    all_before: &'static [&'static str],
    before: &'static [&'static str],
    after: &'static [&'static str],
    all_after: &'static [&'static str],
}

const EPOCHS: [Epoch; 5] = [
    Epoch {
        name: "fence",
        all_before: &["MPI_Win_fence(0, window);"],
        before: &[],
        after: &[],
        all_after: &["MPI_Win_fence(0, window);"],
    },
    Epoch {
        name: "post",
        all_before: &[
            "MPI_Comm_group(MPI_COMM_WORLD, &world);",
            "MPI_Group_incl(world, 1, &(int){3 - rank}, &group);",
            "if (rank == 2) MPI_Win_post(group, 0, window);",
        ],
        before: &["MPI_Win_start(group, 0, window);"],
        after: &["MPI_Win_complete(window);"],
        all_after: &["if (rank == 2) MPI_Win_wait(window);", "MPI_Group_free(&group);", "MPI_Group_free(&world);"],
    },
    Epoch {
        name: "lock",
        all_before: &[],
        before: &["MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 2, 0, window);"],
        after: &["MPI_Win_unlock(2, window);"],
        all_after: &[],
    },
    Epoch {
        name: "lock_all",
        all_before: &[],
        before: &["MPI_Win_lock_all(0, window);"],
        after: &["MPI_Win_unlock_all(window);"],
        all_after: &[],
    },
    Epoch { name: "no_epoch", all_before: &[], before: &[], after: &[], all_after: &[] },
];

fn variant((operation, call): (&str, &str), epoch: &Epoch, is_beyond: bool) -> Variant {
    let has_epoch = epoch.name != "no_epoch";
    let rule = match (has_epoch, is_beyond) {
        (false, _) => "rma/epoch",
        (true, true) => "rma/range",
        (true, false) => "",
    };
    let call = call.replace("$D", if is_beyond { "1000" } else { "3" });
    let call = if rule.is_empty() { call } else { format!("{call} // <- {rule}") };
    let wait = if call.contains("&request") { vec!["MPI_Wait(&request, &status);".to_owned()] } else { Vec::new() };
    let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<String>>();
    let ones = [lines(epoch.before), vec![call], wait, lines(epoch.after)].concat();
    let body = [
        vec!["MPI_Win_create(others, sizeof others, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window);".to_owned()],
        lines(epoch.all_before),
        vec!["if (rank == 1) {".to_owned()],
        ones.into_iter().map(|line| format!("    {line}")).collect(),
        vec!["}".to_owned()],
        lines(epoch.all_after),
        vec!["MPI_Win_free(&window);".to_owned()],
    ];
    let what = if is_beyond { "beyond" } else { "within" };
    Variant {
        name: format!("one_sided_{operation}_{}_{what}", epoch.name),
        about: format!("{operation}: with {} and {what} the window.", epoch.name),
        expect: if rule.is_empty() { Vec::new() } else { vec![format!("error {rule}")] },
        ends: if rule.is_empty() { "ok" } else { "anyhow" },
        needs: None,
        body: body.concat(),
    }
}

/// Each operation in each epoch, within the window and beyond it; those with a request in passive epochs only, as the standard has it.
pub fn variants() -> Vec<Variant> {
    let mut variants = Vec::new();
    for operation in OPERATIONS {
        let is_passive_only = operation.1.contains("&request");
        for epoch in EPOCHS.iter().filter(|epoch| !is_passive_only || !["fence", "post"].contains(&epoch.name)) {
            variants.push(variant(operation, epoch, false));
            if epoch.name != "no_epoch" {
                variants.push(variant(operation, epoch, true));
            }
        }
    }
    variants
}
