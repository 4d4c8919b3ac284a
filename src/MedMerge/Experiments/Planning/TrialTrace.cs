using MedMerge.Telemetry;

namespace MedMerge.Experiments.Planning;

/// <summary>
/// A trial's trace: begun once, where the sweep is submitted, and kept in the sweep's record, so that whoever works for the trial later, on whatever node, adds to it.
/// </summary>
public static class TrialTrace
{
    /// <summary>An exporter's queue holds 2,048 spans, and drops what is too much without a word.</summary>
    private const int MostAtOnce = 1000;

    /// <summary>Begins those of all trials, as long as they are not too many to be sent at once: then each is begun with its trial.</summary>
    /// <param name="sweep">The sweep's id.</param>
    /// <returns>Their traceparents by number; empty where nobody traces.</returns>
    public static IReadOnlyList<string?> BeginAll(string sweep, Plan plan)
    {
        if (plan.Trials.Count > MostAtOnce) return [];
        var traces = plan.Trials.Select(trial => Begin(sweep, trial)).ToList();
        return traces.Exists(trace => trace is not null) ? traces : [];
    }

    /// <summary>Begins it; it is linked to what is going on here, the request that submits.</summary>
    /// <param name="sweep">The sweep's id.</param>
    /// <returns>Its traceparent; null where nobody traces.</returns>
    public static string? Begin(string sweep, Trial trial) => Spans.Write(Spans.Mark(
        $"trial {trial.Number}: {trial.Method.Title}, seed {trial.Seed}", parent: default,
        new() { ["medmerge.sweep"] = sweep, ["medmerge.trial"] = trial.Number, ["medmerge.method"] = trial.Method.Title, ["medmerge.seed"] = (long)trial.Seed }, link: Spans.Current));
}
