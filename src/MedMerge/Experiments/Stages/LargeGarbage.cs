using MedMerge.Tensors;

namespace MedMerge.Experiments.Stages;

/// <summary>
/// Frees what finished stages leave behind. Models and checkpoints are arrays of tens to hundreds of MB, of which the garbage
/// collector lets gigabytes gather while the machine has memory: it does not see what libtorch, or the process beside it, needs.
/// glibc does the same with freed tensors.
/// </summary>
internal static class LargeGarbage
{
    private const long Threshold = 64L << 20;
    private static long _allocatedBefore;

    /// <summary>
    /// Frees native memory, and managed memory if much was allocated since the last time: not after stages of small networks.
    /// </summary>
    public static void Collect()
    {
        CollectManaged();
        TorchRuntime.TrimNativeHeap();
    }

    private static void CollectManaged()
    {
        var allocated = GC.GetTotalAllocatedBytes();
        var before = Interlocked.Read(ref _allocatedBefore);
        if (allocated - before < Threshold) return;
        if (Interlocked.CompareExchange(ref _allocatedBefore, allocated, before) != before) return; // another thread does it
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
