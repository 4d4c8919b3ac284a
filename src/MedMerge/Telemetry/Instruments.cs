using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace MedMerge.Telemetry;

/// <summary>
/// Every metric of MedMerge, on the one meter <c>MedMerge</c>. Attributes are few and low in cardinality: they name no sweep, trial or
/// node; which node it is, is a resource attribute of its process.
/// </summary>
internal static class Instruments
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "MedMerge";

    /// <summary>The attribute that names a kind of stage: <c>weigh</c>, <c>fine-tune</c>, …</summary>
    public const string Stage = "stage";

    private const string Seconds = "s", Ratio = "1";
    private static readonly Meter Meter = new(MeterName);

    /// <summary>How long a training step took, shards and optimiser together.</summary>
    public static Histogram<double> StepDuration { get; } =
        Meter.CreateHistogram("medmerge.step.duration", Seconds, "Time for a training step.", advice: Steps());

    /// <summary>Training images seen; its rate is samples per second.</summary>
    public static Counter<long> Samples { get; } = Meter.CreateCounter<long>("medmerge.samples", "{image}", "Training images seen.");

    /// <summary>How long a step waited for its slowest shard after its fastest had answered.</summary>
    public static Histogram<double> ShardWait { get; } =
        Meter.CreateHistogram("medmerge.shard.wait", Seconds, "Wait for the slowest shard after the fastest.", advice: Steps());

    /// <summary>Answers that took more than twice as long as the step's median.</summary>
    public static Counter<long> Stragglers { get; } = Meter.CreateCounter<long>(
        "medmerge.shard.stragglers", "{answer}", "Shards' answers that took more than twice their step's median.");

    /// <summary>Shards that did not answer in time and were placed on another node.</summary>
    public static Counter<long> ShardsReplaced { get; } =
        Meter.CreateCounter<long>("medmerge.shard.replaced", "{shard}", "Shards that were placed anew.");

    /// <summary>Euclidean norm of a step's gradient: of θ where kernel weights are learned, of all parameters otherwise.</summary>
    public static Histogram<double> GradientNorm { get; } = Meter.CreateHistogram(
        "medmerge.gradient.norm", Ratio, "Euclidean norm of a step's gradient.", advice: Decades(-5, 3));

    /// <summary>Mean entropy of the kernel weights after an epoch, 0 (one source) to 1 (all alike).</summary>
    public static Histogram<double> Entropy { get; } = Meter.CreateHistogram(
        "medmerge.weights.entropy",
        Ratio,
        "Mean entropy of the kernel weights after an epoch.",
        advice: Boundaries(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9));

    /// <summary>Mean cross-entropy of an epoch's training images, in nats.</summary>
    public static Histogram<double> Loss { get; } =
        Meter.CreateHistogram("medmerge.loss", "{nat}", "Mean training loss of an epoch.", advice: Decades(-4, 1));

    /// <summary>How long a stage took on its node.</summary>
    public static Histogram<double> StageDuration { get; } = Meter.CreateHistogram(
        "medmerge.stage.duration",
        Seconds,
        "Time for a stage.",
        advice: Boundaries(0.1, 0.3, 1, 3, 10, 30, 60, 180, 600, 1800, 3600, 10800, 36000));

    /// <summary>Bytes of a checkpoint.</summary>
    public static Histogram<long> CheckpointSize { get; } = Meter.CreateHistogram(
        "medmerge.checkpoint.size",
        "By",
        "Bytes of a checkpoint.",
        advice: Boundaries(10_000L, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000));

    /// <summary>How long a checkpoint's commit took.</summary>
    public static Histogram<double> CheckpointDuration { get; } =
        Meter.CreateHistogram("medmerge.checkpoint.duration", Seconds, "Time for a checkpoint's commit.", advice: Steps());

    private static readonly Counter<long> CacheRequests =
        Meter.CreateCounter<long>("medmerge.cache.requests", "{read}", "Reads of the node's caches.");

    private static readonly Counter<long> ScheduleTimes = Meter.CreateCounter<long>(
        "medmerge.schedule.times", "{time}", "Times of schedules that this process decided about.");

    private static readonly Counter<long> BenchmarkRuns =
        Meter.CreateCounter<long>("medmerge.benchmark.runs", "{run}", "Runs of benchmarks that this process has recorded.");

    /// <summary>Readings of this process's devices.</summary>
    public static ObservableCallbacks<DeviceReading> Devices { get; } = new();

    /// <summary>How many trials are in a state, of the sweeps that this process keeps going.</summary>
    public static ObservableCallbacks<KeyValuePair<string, int>> Trials { get; } = new();

    static Instruments()
    {
        Meter.CreateObservableUpDownCounter(
            "medmerge.device.queue",
            () => ByDevice(threads => threads.Sum(thread => thread.Queued)),
            "{work}",
            "Work that waits for the device.");
        Meter.CreateObservableGauge(
            "medmerge.device.busy",
            () => ByDevice(threads => threads.Average(thread => thread.Busy)),
            Ratio,
            "Share of the last seconds that the device was busy.");
        Meter.CreateObservableGauge(
            "medmerge.tensors.live",
            () => ByDevice(threads => threads.Max(thread => thread.LiveTensors)),
            "{tensor}",
            "Tensors that live in the process.");
        Meter.CreateObservableUpDownCounter("medmerge.trials", ByState, "{trial}", "Trials of the sweeps that this process keeps going.");
    }

    /// <summary>A training step is done.</summary>
    /// <param name="stage">The stage's name.</param>
    /// <param name="start">Time stamp of <see cref="Stopwatch"/>.</param>
    public static void StepDone(string stage, long start, int images)
    {
        StepDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, StageTag(stage));
        Samples.Add(images, StageTag(stage));
    }

    /// <summary>A cache of the node was read.</summary>
    /// <param name="cache"><c>artefacts</c> (on its disk) or <c>outputs</c> (of stages, in its memory).</param>
    public static void CacheAsked(string cache, bool isHit) =>
        CacheRequests.Add(1, Tag("cache", cache), Tag("result", isHit ? "hit" : "miss"));

    /// <summary>Times of schedules were decided about.</summary>
    /// <param name="outcome"><c>fired</c>, <c>skipped</c> or <c>missed</c>.</param>
    public static void TimesDecided(string outcome, long times) => ScheduleTimes.Add(times, Tag("outcome", outcome));

    /// <summary>A benchmark's run was recorded.</summary>
    /// <param name="outcome"><c>passed</c>, <c>unchanged</c> or <c>flagged</c>.</param>
    public static void BenchmarkRecorded(string outcome) => BenchmarkRuns.Add(1, Tag("outcome", outcome));

    /// <summary>A step's gradient.</summary>
    public static void Gradient(string stage, ReadOnlySpan<double> gradient)
    {
        if (!GradientNorm.Enabled) return;
        var squares = 0.0;
        foreach (var value in gradient) squares += value * value;
        GradientNorm.Record(Math.Sqrt(squares), StageTag(stage));
    }

    /// <summary>An epoch is done; NaN and null are left out.</summary>
    public static void EpochDone(string stage, double loss, double? entropy)
    {
        if (!double.IsNaN(loss)) Loss.Record(loss, StageTag(stage));
        if (entropy is { } value) Entropy.Record(value);
    }

    /// <summary>The attribute of a kind of stage.</summary>
    public static KeyValuePair<string, object?> StageTag(string stage) => Tag(Stage, stage);

    private static KeyValuePair<string, object?> Tag(string key, string value) => KeyValuePair.Create<string, object?>(key, value);

    /// <summary>A device has a thread for each lane.</summary>
    private static IEnumerable<Measurement<T>> ByDevice<T>(Func<IEnumerable<DeviceReading>, T> sum) where T : struct => Devices.Read()
        .GroupBy(thread => thread.Device)
        .Select(device => new Measurement<T>(sum(device), Tag("device", device.Key)));

    private static IEnumerable<Measurement<int>> ByState() => Trials.Read()
        .GroupBy(trial => trial.Key, trial => trial.Value)
        .Select(state => new Measurement<int>(state.Sum(), Tag("state", state.Key)));

    /// <summary>A millisecond to a minute: steps and writes.</summary>
    private static InstrumentAdvice<double> Steps() => Boundaries(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60);

    /// <summary>Three boundaries a decade.</summary>
    private static InstrumentAdvice<double> Decades(int from, int to) => Boundaries(
    [
        .. Enumerable.Range(from, to - from + 1)
            .Select(decade => Math.Pow(10, decade))
            .SelectMany(power => new[] { power, 2 * power, 5 * power }),
    ]);

    private static InstrumentAdvice<T> Boundaries<T>(params T[] boundaries) where T : struct =>
        new() { HistogramBucketBoundaries = boundaries };
}

/// <summary>The state of a device's thread.</summary>
/// <param name="Device"><c>cpu</c> or <c>cuda:N</c>.</param>
/// <param name="Queued">Work that waits.</param>
/// <param name="Busy">Share of the last seconds, 0 to 1.</param>
/// <param name="LiveTensors">Tensors of the whole process.</param>
internal readonly record struct DeviceReading(string Device, int Queued, double Busy, long LiveTensors);
