namespace MedMerge.Grains.Nodes;

/// <summary>What a node is and has; the section <c>Node</c> of its configuration.</summary>
public sealed class NodeOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Node";

    private const long MaxMiB = 1L << 40;
    private const int MaxLanes = 256;
    private static readonly TimeSpan MaxDeadline = TimeSpan.FromDays(1);

    /// <summary><c>cpu</c> or <c>cuda:N</c>. One node has one device. Default: cpu.</summary>
    public string Device { get; set; } = "cpu";

    /// <summary>
    /// A shard that has not answered after so long is replaced. This is for a node that hangs; one that died is noticed
    /// within seconds. Default: 2 min.
    /// </summary>
    public TimeSpan StepDeadline { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>The same for loading data and models, and for a validation. Default: 5 min.</summary>
    public TimeSpan OpenDeadline { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A device that has not finished a step, or a batch, for so long is taken for hung, and the node leaves. Default:
    /// 10 min.
    /// </summary>
    public TimeSpan StallDeadline { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long a training stage may go without a checkpoint; one is kept at the end of the epoch after that. Zero keeps
    /// one after every epoch. Default: 30 s.
    /// </summary>
    public TimeSpan CheckpointInterval { get; set; } = Experiments.Stages.CheckpointInterval.DefaultDuration;

    /// <summary>
    /// Where artefacts of the blob store are cached; null for no cache, as is right where the store is a folder.
    /// Default: null.
    /// </summary>
    public string? CacheFolder { get; set; }

    /// <summary>How much the cache may hold, in MiB. Default: 10,240.</summary>
    public long CacheMiB { get; set; } = 10_240;

    /// <summary>
    /// How much of stages' outputs is cached in the host's memory for further shards, in MiB. Default: 1,024.
    /// </summary>
    public long OutputCacheMiB { get; set; } = 1024;

    /// <summary>
    /// Prepared sources that need more of the device's memory than this, in MiB, stay in the host's and are copied
    /// layer by layer. Default: no limit.
    /// </summary>
    public long? SourceMemoryMiB { get; set; }

    /// <summary>
    /// How many stages compute at a time. Default: on a CPU as many as its cores have room for with the threads that each asks for, on a
    /// GPU one.
    /// </summary>
    public int? Lanes { get; set; }

    /// <summary>
    /// How much memory stages that run at a time may take together by estimate, in MiB; one alone is not refused. Default: 80 % of what
    /// the process may have, or the GPU has.
    /// </summary>
    public long? MemoryMiB { get; set; }

    /// <summary>Validates the options.</summary>
    /// <exception cref="InputException">Names the variable.</exception>
    public void Check()
    {
        CheckDeadline(nameof(StepDeadline), StepDeadline);
        CheckDeadline(nameof(OpenDeadline), OpenDeadline);
        CheckDeadline(nameof(StallDeadline), StallDeadline);
        if (CheckpointInterval < TimeSpan.Zero || CheckpointInterval > MaxDeadline)
            throw new InputException($"{Section}__{nameof(CheckpointInterval)} must be from 0 to {MaxDeadline.TotalDays:0} day.");
        if (Lanes is < 1 or > MaxLanes) throw new InputException($"{Section}__{nameof(Lanes)} must be from 1 to {MaxLanes}.");
        if (MemoryMiB is < 1 or > MaxMiB) throw new InputException($"{Section}__{nameof(MemoryMiB)} must be from 1 to {MaxMiB}.");
        CheckSize(nameof(CacheMiB), CacheMiB);
        CheckSize(nameof(OutputCacheMiB), OutputCacheMiB);
        CheckSize(nameof(SourceMemoryMiB), SourceMemoryMiB ?? 0);
    }

    private static void CheckDeadline(string option, TimeSpan value)
    {
        if (value <= TimeSpan.Zero || value > MaxDeadline)
            throw new InputException($"{Section}__{option} must be more than 0 and at most {MaxDeadline.TotalDays:0} day.");
    }

    private static void CheckSize(string option, long value)
    {
        if (value is < 0 or > MaxMiB) throw new InputException($"{Section}__{option} must be from 0 to {MaxMiB}.");
    }
}
