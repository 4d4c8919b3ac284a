using System.Diagnostics;
using System.Globalization;
using MedMerge.Data;
using MedMerge.Data.Formats.Images;

namespace MedMerge.Benchmarks;

/// <summary>
/// How fast a folder of images becomes a data set, and what memory that takes. <c>bench/images/run.py</c> calls it beside Pillow.
/// </summary>
internal static class ImageReading
{
    private const int WarmUp = 200;

    /// <param name="size">Of the data set's images, pixels.</param>
    /// <param name="copies">How often each image is read: a larger set of the same files.</param>
    public static void Write(string folder, int size, int copies)
    {
        var files = new FolderFiles(folder, (path, _) => File.ReadAllBytes(path));
        var images = ClassFolders.List(files);
        List<ListedImage> all = [.. Enumerable.Repeat(images, copies).SelectMany(list => list)];
        Read([.. images.OrderBy(image => image.Path.GetHashCode(StringComparison.Ordinal)).Take(WarmUp)]);

        var time = Stopwatch.StartNew();
        var dataset = Read(all);
        time.Stop();

        using var process = Process.GetCurrentProcess();
        long pixels = dataset.Train.Pixels.Length + dataset.Validation.Pixels.Length + dataset.Test.Pixels.Length;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{all.Count / time.Elapsed.TotalSeconds:f0} {process.PeakWorkingSet64 / 1e6:f0} {pixels / 1e6:f0}"));

        ImageDataset Read(IReadOnlyList<ListedImage> list) => ImageSetReader.Read(
            "images",
            new Provenance("folder of images", Sha256: null),
            files,
            list,
            new ImageSettings { Size = size });
    }
}
