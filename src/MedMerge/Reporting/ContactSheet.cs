using MedMerge.Data;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace MedMerge.Reporting;

/// <summary>A picture of a data set: a row for each class, with its first training images.</summary>
internal static class ContactSheet
{
    private const int Columns = 12;
    private const int MaxRows = 24;
    private const int Gap = 4;
    private const int SmallestCell = 64, LargestCell = 160; // pixels

    /// <summary>Draws it.</summary>
    /// <returns>A PNG file.</returns>
    public static byte[] Draw(ImageDataset dataset)
    {
        var rows = Enumerable.Range(0, Math.Min(dataset.Classes, MaxRows)).Select(label => FindFirst(dataset, label)).ToList();
        var side = Math.Max(dataset.Width, dataset.Height);
        var scale = Math.Clamp(side, SmallestCell, LargestCell) / (double)side;
        var (width, height) = ((int)(dataset.Width * scale), (int)(dataset.Height * scale));
        using var sheet = new Image<Rgb24>(Gap + (Columns * (width + Gap)), Gap + (rows.Count * (height + Gap)), new Rgb24(128, 128, 128));
        foreach (var (row, images) in rows.Index())
        {
            foreach (var (column, index) in images.Index())
            {
                using var image = GetImage(dataset, index);
                image.Mutate(context => context.Resize(width, height, scale > 1 ? KnownResamplers.NearestNeighbor : KnownResamplers.Box));
                var place = new Point(Gap + (column * (width + Gap)), Gap + (row * (height + Gap)));
                sheet.Mutate(context => context.DrawImage(image, place, opacity: 1));
            }
        }
        using var file = new MemoryStream();
        sheet.SaveAsPng(file);
        return file.ToArray();
    }

    private static List<int> FindFirst(ImageDataset dataset, int label) => [.. dataset.Find(dataset.Train, label).Take(Columns)];

    private static Image<Rgb24> GetImage(ImageDataset dataset, int index)
    {
        var pixels = dataset.Train.GetImage(index).ToArray();
        if (dataset.Channels == 3) return Image.LoadPixelData<Rgb24>(pixels, dataset.Width, dataset.Height);
        using var grey = Image.LoadPixelData<L8>(pixels, dataset.Width, dataset.Height);
        return grey.CloneAs<Rgb24>();
    }
}
