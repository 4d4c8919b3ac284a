using System.Diagnostics;
using MedMerge.Telemetry;

namespace MedMerge.Experiments.Planning;

/// <summary>
/// Starts the traces of trials, once, at submission. The sweep's record keeps them, so that work on any node joins its
/// trial's trace.
/// </summary>
internal static class TrialTrace
{
    /// <summary>An exporter's queue holds 2,048 spans and silently drops any beyond that.</summary>
    private const int MaxAtOnce = 1000;

    /// <summary>
    /// Starts the traces of all trials, unless they are too many to export at once; then each starts with its trial.
    /// </summary>
    /// <param name="sweep">The sweep's id.</param>
    /// <returns>The traceparents in the order of the trials; empty if none was started.</returns>
    public static IReadOnlyList<string?> BeginAll(string sweep, PlanSummary plan)
    {
        if (plan.Trials.Count > MaxAtOnce) return [];
        var traces = plan.Trials.Select(trial => Begin(sweep, trial.Number, trial.Row.Title, trial.Seed)).ToList();
        return traces.Exists(trace => trace is not null) ? traces : [];
    }

    /// <summary>Starts the trace of a trial, linked to the current activity: the request that submitted it.</summary>
    /// <param name="sweep">The sweep's id.</param>
    /// <param name="method">The title of the method's row.</param>
    /// <returns>The traceparent; null if tracing is off.</returns>
    public static string? Begin(string sweep, int number, string method, ulong seed)
    {
        var tags = new ActivityTagsCollection
        {
            ["medmerge.sweep"] = sweep,
            ["medmerge.trial"] = number,
            ["medmerge.method"] = method,
            ["medmerge.seed"] = (long)seed,
        };
        var span = Spans.Mark($"trial {number}: {method}, seed {seed}", parent: default, tags, link: Spans.Current);
        return Spans.Write(span);
    }
}
