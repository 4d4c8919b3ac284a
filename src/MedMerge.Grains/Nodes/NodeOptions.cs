namespace MedMerge.Grains.Nodes;

/// <summary>What a node is and has; the section <c>Node</c> of its configuration.</summary>
public sealed class NodeOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Node";

    private const long MaxMiB = 1L << 40;
    private static readonly TimeSpan MaxDeadline = TimeSpan.FromDays(1);

    /// <summary><c>cpu</c> or <c>cuda:N</c>. One node has one device. Default: cpu.</summary>
    public string Device { get; set; } = "cpu";

    /// <summary>A shard that has not answered after so long is placed anew. A node that died is noticed within seconds in another way; this is for one that hangs. Default: 2 min.</summary>
    public TimeSpan StepDeadline { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>A shard may take so long to load data and sources. Default: 5 min.</summary>
    public TimeSpan OpenDeadline { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>A device that has not finished a step, or a batch, for so long hangs, and the node leaves. Default: 10 min.</summary>
    public TimeSpan StallDeadline { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Where artefacts of the blob store are cached; null caches none, which is right where the store is a folder.</summary>
    public string? CacheFolder { get; set; }

    /// <summary>How much the cache may hold, in MiB. Default: 10,240.</summary>
    public long CacheMiB { get; set; } = 10_240;

    /// <summary>How much of stages' outputs is kept in the host's memory for the shards that come next, in MiB. Default: 1,024.</summary>
    public long OutputCacheMiB { get; set; } = 1024;

    /// <summary>
    /// Prepared sources that need more of the device's memory than this, in MiB, stay in the host's and are brought over layer by layer. Default: no limit.
    /// </summary>
    public long? SourceMemoryMiB { get; set; }

    /// <summary>Refuses what makes no sense.</summary>
    /// <exception cref="InputException">Names the variable.</exception>
    public void Check()
    {
        Require(nameof(StepDeadline), StepDeadline > TimeSpan.Zero && StepDeadline <= MaxDeadline);
        Require(nameof(OpenDeadline), OpenDeadline > TimeSpan.Zero && OpenDeadline <= MaxDeadline);
        Require(nameof(StallDeadline), StallDeadline > TimeSpan.Zero && StallDeadline <= MaxDeadline);
        Require(nameof(CacheMiB), CacheMiB is >= 0 and <= MaxMiB);
        Require(nameof(OutputCacheMiB), OutputCacheMiB is >= 0 and <= MaxMiB);
        Require(nameof(SourceMemoryMiB), SourceMemoryMiB is null or (>= 0 and <= MaxMiB));
    }

    private static void Require(string option, bool holds)
    {
        if (!holds) throw new InputException($"{Section}__{option} must be {(option.EndsWith("MiB", StringComparison.Ordinal) ? $"from 0 to {MaxMiB}" : $"more than 0 and at most {MaxDeadline.TotalDays:0} day")}.");
    }
}
