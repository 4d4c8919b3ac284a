using MedMerge.Merging;
using MedMerge.Merging.Files;

namespace MedMerge.Tests.Merging.Files;

/// <summary>A merge by kernel weights from files, as <c>medmerge merge</c> writes it.</summary>
internal static class MergedFile
{
    public static byte[] Write(LearnedKernelWeights learned, IReadOnlyList<SourceFile> sources, int threads = 2)
    {
        using var merger = new KernelWeightMerger(learned, sources, threads, TestContext.Current.CancellationToken);
        var file = new byte[merger.Length];
        merger.Write((offset, content) => content.CopyTo(file.AsSpan((int)offset)));
        return file;
    }
}
