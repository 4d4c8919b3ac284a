using System.Globalization;
using MedMerge.Tensors;

namespace MedMerge.Grains.Nodes;

/// <summary>How much a node computes at a time.</summary>
/// <param name="Slots">A GPU's lanes, or a CPU's cores where the number of lanes is not set.</param>
/// <param name="IsByCore">Whether a stage takes a slot for each of its threads, or one.</param>
/// <param name="Memory">Bytes that running stages may take together.</param>
internal sealed record NodeCapacity(int Slots, bool IsByCore, long Memory)
{
    /// <summary>The key of silo metadata.</summary>
    public const string Key = "lanes";

    private const string CoresSuffix = " cores";

    /// <summary>
    /// A GPU's lanes where their number is not set. Small networks leave much of a GPU idle; four fill what eight do, and do no harm where
    /// one would (bench/results/gpu.md).
    /// </summary>
    private const int GpuLanes = 4;

    /// <summary>Left to everything else: the system, caches, what libtorch keeps.</summary>
    private const double UsableMemory = 0.8;

    /// <summary>What the options say, or else the machine.</summary>
    public static NodeCapacity Of(NodeOptions options)
    {
        var gpu = DeviceName.CudaIndex(options.Device);
        var memory = options.MemoryMiB is { } limit
            ? limit << 20
            : (long)(UsableMemory * (gpu is { } index ? CudaDriver.GetMemory(index) : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes));
        return options.Lanes is { } lanes ? new NodeCapacity(lanes, IsByCore: false, memory)
            : gpu is not null ? new NodeCapacity(GpuLanes, IsByCore: false, memory)
            : new NodeCapacity(Environment.ProcessorCount, IsByCore: true, memory);
    }

    /// <summary>The slots that a stage takes.</summary>
    /// <param name="threads">Its libtorch threads.</param>
    public int SlotsFor(int threads) => IsByCore ? Math.Min(threads, Slots) : 1;

    /// <summary>How many such stages compute at a time.</summary>
    /// <param name="threads">Their libtorch threads.</param>
    public int LanesFor(int threads) => Slots / SlotsFor(threads);

    /// <summary>The slots as other nodes see them in the silo's metadata.</summary>
    public string ToMetadata() => Slots.ToString(CultureInfo.InvariantCulture) + (IsByCore ? CoresSuffix : "");

    /// <summary>What <see cref="ToMetadata"/> gives; one lane where it is missing.</summary>
    public static NodeCapacity FromMetadata(string? metadata)
    {
        var isByCore = metadata?.EndsWith(CoresSuffix, StringComparison.Ordinal) == true;
        var slots = isByCore ? metadata![..^CoresSuffix.Length] : metadata;
        return new NodeCapacity(slots is null ? 1 : int.Parse(slots, CultureInfo.InvariantCulture), isByCore, Memory: 0);
    }
}
