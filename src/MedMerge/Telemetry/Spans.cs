using System.Diagnostics;

namespace MedMerge.Telemetry;

/// <summary>
/// The spans of a trial: trial → stage → epoch, one trace for each trial. A span is exported when it ends, so one that was under way in a
/// process that is killed is never seen, and its children lose their parent. Therefore a span that has children is a mark of a moment,
/// the beginning, and a span that takes time has no children of ours: see docs/decisions/0005.
/// </summary>
internal static class Spans
{
    /// <summary>The activity source's name.</summary>
    public const string SourceName = "MedMerge";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>The current span, to be passed on; default where there is none.</summary>
    public static ActivityContext Current => Activity.Current?.Context ?? default;

    /// <summary>Marks a beginning.</summary>
    /// <param name="parent">What it is part of; default for the beginning of a trace.</param>
    /// <param name="link">What else it follows from, in another trace.</param>
    /// <returns>The parent for its parts; <paramref name="parent"/> where nothing is traced.</returns>
    public static ActivityContext Mark(
        string name,
        ActivityContext parent,
        ActivityTagsCollection? tags = null,
        ActivityContext link = default)
    {
        var current = Activity.Current;
        using var span = Start(name, parent, tags, link);
        var context = span?.Context ?? parent;
        span?.Stop();
        Activity.Current = current;
        return context;
    }

    /// <summary>Begins a span that takes time; it is the current one until it is disposed.</summary>
    /// <inheritdoc cref="Mark" />
    public static Activity? Start(
        string name,
        ActivityContext parent,
        ActivityTagsCollection? tags = null,
        ActivityContext link = default)
    {
        if (!Source.HasListeners()) return null;
        if (parent == default) Activity.Current = null; // or the current span would be taken for the parent
        return Source.StartActivity(ActivityKind.Internal, parent, tags, link == default ? null : [new ActivityLink(link)], name: name);
    }

    /// <summary>
    /// As a W3C traceparent, to be kept or sent; null for none, and for one that is not recorded, whose children would have no parent.
    /// </summary>
    public static string? Write(ActivityContext context) => (context.TraceFlags & ActivityTraceFlags.Recorded) == 0
        ? null
        : $"00-{context.TraceId.ToHexString()}-{context.SpanId.ToHexString()}-01";

    /// <summary>Back from a traceparent; default where it is none.</summary>
    public static ActivityContext Read(string? traceparent) =>
        ActivityContext.TryParse(traceparent, null, isRemote: true, out var context) ? context : default;

    /// <summary>Marks a span's work as failed.</summary>
    public static void Fail(this Activity? span, string reason) => span?.SetStatus(ActivityStatusCode.Error, reason);
}
