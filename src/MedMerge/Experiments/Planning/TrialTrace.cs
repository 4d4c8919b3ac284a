using System.Diagnostics;
using MedMerge.Telemetry;

namespace MedMerge.Experiments.Planning;

/// <summary>
/// A trial's trace: begun once, where the sweep is submitted, and kept in the sweep's record, so that whoever works for the trial later, on
/// whatever node, adds to it.
/// </summary>
public static class TrialTrace
{
    /// <summary>An exporter's queue holds 2,048 spans, and drops what is too much without a word.</summary>
    private const int MaxAtOnce = 1000;

    /// <summary>Begins those of all trials, as long as they are not too many to be sent at once: then each is begun with its trial.</summary>
    /// <param name="sweep">The sweep's id.</param>
    /// <returns>Their traceparents by number; empty where nothing is traced.</returns>
    public static IReadOnlyList<string?> BeginAll(string sweep, PlanSummary plan)
    {
        if (plan.Trials.Count > MaxAtOnce) return [];
        var traces = plan.Trials.Select(trial => Begin(sweep, trial.Number, trial.Row.Title, trial.Seed)).ToList();
        return traces.Exists(trace => trace is not null) ? traces : [];
    }

    /// <summary>Begins one; it is linked to the current activity, the request that submits.</summary>
    /// <param name="sweep">The sweep's id.</param>
    /// <param name="method">The title of the method's row.</param>
    /// <returns>Its traceparent; null where nothing is traced.</returns>
    public static string? Begin(string sweep, int number, string method, ulong seed)
    {
        var tags = new ActivityTagsCollection
        {
            ["medmerge.sweep"] = sweep,
            ["medmerge.trial"] = number,
            ["medmerge.method"] = method,
            ["medmerge.seed"] = (long)seed,
        };
        return Spans.Write(Spans.Mark($"trial {number}: {method}, seed {seed}", parent: default, tags, link: Spans.Current));
    }
}
