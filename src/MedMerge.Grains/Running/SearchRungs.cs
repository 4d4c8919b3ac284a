using MedMerge.Experiments.Planning;
using MedMerge.Storage;

namespace MedMerge.Grains.Running;

/// <summary>
/// Decides by successive halving which trials of a search go on: a function of the sweep's record alone, so the same whatever the number
/// of nodes and whichever trial ends first. Candidates, which are scenarios, compete within a method's row on one target and one set of
/// sources; a candidate's score is the mean over its seeds, on the validation split.
/// </summary>
internal sealed class SearchRungs
{
    private const string Outdone = "Others scored better on the validation split at rung {0}.";
    private const string Incomplete = "A trial of another seed has no score at rung {0}.";

    private readonly int _factor;
    private readonly Dictionary<int, Cohort> _cohortOf = [];

    public SearchRungs(PlanSummary plan)
    {
        _factor = plan.Halving!.Factor;
        var arenas = plan.GetArenas().Index().SelectMany(arena => arena.Item.Select(scenario => (scenario, arena.Index))).ToDictionary();
        foreach (var trials in plan.Trials.GroupBy(trial => (Arena: arenas[trial.Scenario], trial.Method, trial.Source)))
        {
            var cohort = new Cohort([.. trials.GroupBy(trial => trial.Scenario).Select(ReadCandidate)]);
            foreach (var trial in trials) _cohortOf[trial.Number] = cohort;
        }

        static int[] ReadCandidate(IEnumerable<PlannedTrial> trials) => [.. trials.Select(trial => trial.Number)];
    }

    /// <summary>Whether <see cref="Decide"/> would change the record.</summary>
    public bool HasDecision(SweepRecord sweep) => !ReferenceEquals(Decide(sweep), sweep);

    /// <summary>The record with what can be decided; the same where that is nothing.</summary>
    public SweepRecord Decide(SweepRecord sweep)
    {
        var trials = sweep.Trials;
        foreach (var cohort in trials.Held.Select(number => _cohortOf[number]).Distinct().ToList()) trials = Decide(trials, cohort);
        return ReferenceEquals(trials, sweep.Trials) ? sweep : sweep with { Trials = trials };
    }

    private SweepTrials Decide(SweepTrials trials, Cohort cohort)
    {
        foreach (var rung in cohort.HeldAt(trials))
        {
            var granted = cohort.Candidates.Where(candidate => candidate.Any(number => trials.Get(number).Rung >= rung)).ToList();
            var isDecided = granted.Exists(candidate => candidate.Any(number => IsPast(trials.Get(number), rung)));
            trials = isDecided ? JudgeLate(trials, granted, rung) : DecideAll(trials, granted, rung);
        }
        return trials;
    }

    /// <summary>All candidates at a rung, once none of them is still on its way.</summary>
    private SweepTrials DecideAll(SweepTrials trials, List<int[]> granted, int rung)
    {
        if (granted.Exists(candidate => IsOnItsWay(trials, candidate, rung))) return trials;
        var kept = Math.Max(1, granted.Count / _factor);
        var best = granted
            .Where(candidate => ScoreOf(trials, candidate, rung) is not null)
            .OrderByDescending(candidate => ScoreOf(trials, candidate, rung))
            .Take(kept)
            .ToHashSet();
        return granted.Aggregate(trials, (current, candidate) => Apply(current, candidate, rung, best.Contains(candidate)));
    }

    /// <summary>Candidates that come to a rung after it was decided, having been retried: they go on if they beat one that did.</summary>
    private static SweepTrials JudgeLate(SweepTrials trials, List<int[]> granted, int rung)
    {
        var promoted = granted.Where(candidate => candidate.Any(number => trials.Get(number).Rung > rung)).ToList();
        var least = promoted.Min(candidate => ScoreOf(trials, candidate, rung));
        foreach (var late in granted.Where(candidate => candidate.Any(number => IsHeldAt(trials.Get(number), rung))))
        {
            if (IsOnItsWay(trials, late, rung)) continue;
            var score = ScoreOf(trials, late, rung);
            trials = Apply(trials, late, rung, goesOn: score is not null && !(score <= least));
        }
        return trials;
    }

    private static SweepTrials Apply(SweepTrials trials, int[] candidate, int rung, bool goesOn)
    {
        if (goesOn) return trials.WithAll(candidate, trial => trial.Promoted(rung + 1));
        var reason = ScoreOf(trials, candidate, rung) is null ? Incomplete : Outdone;
        var text = string.Format(System.Globalization.CultureInfo.InvariantCulture, reason, rung + 1);
        return trials.WithAll(candidate, trial => IsHeldAt(trial, rung) ? trial.StoppedEarly(text) : trial);
    }

    /// <summary>The mean over its seeds; null where one has none. Training that diverged scores less than any that did not.</summary>
    private static double? ScoreOf(SweepTrials trials, int[] candidate, int rung)
    {
        var scores = candidate.Select(number => trials.Get(number).Scores).ToList();
        return scores.TrueForAll(its => its.Count > rung) ? scores.Average(its => its[rung] ?? double.NegativeInfinity) : null;
    }

    private static bool IsOnItsWay(SweepTrials trials, int[] candidate, int rung) => candidate
        .Select(trials.Get)
        .Any(trial => trial.Rung == rung && (trial.State == WorkState.Running || trial.IsStartable));

    private static bool IsHeldAt(TrialRecord trial, int rung) => trial.IsHeld && trial.Rung == rung;

    /// <summary>Whether it was decided at a rung: it went on, or was stopped there.</summary>
    private static bool IsPast(TrialRecord trial, int rung) =>
        trial.Rung > rung || (trial.Rung == rung && trial.State == WorkState.StoppedEarly);

    /// <summary>Candidates that compete, each by the numbers of its trials, one for each seed.</summary>
    private sealed record Cohort(IReadOnlyList<int[]> Candidates)
    {
        /// <summary>The rungs at which any of its trials waits, from the lowest.</summary>
        public IReadOnlyList<int> HeldAt(SweepTrials trials) =>
        [
            .. Candidates.SelectMany(candidate => candidate)
                .Select(trials.Get)
                .Where(trial => trial.IsHeld)
                .Select(trial => trial.Rung)
                .Distinct()
                .Order(),
        ];
    }
}
