using System.Globalization;
using System.Text;
using MedMerge.Data;
using MedMerge.Data.Checks;

namespace MedMerge.Reporting;

/// <summary>A data set in text: size, classes by split, normalisation, and what is odd about it.</summary>
internal static class DatasetTable
{
    /// <summary>Renders it for a terminal.</summary>
    public static string Render(ImageDataset dataset)
    {
        ImageSplit[] splits = [.. dataset.Splits.Select(split => split.Split)];
        var (kind, kinds) = dataset.IsMultiLabel ? ("label", "labels, of which an image may have several") : ("class", "classes");
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"{dataset.Title}: {dataset.Info.Provenance.Format}, {splits.Sum(split => split.Count):N0} images of " +
            $"{dataset.Width} × {dataset.Height} pixels, {(dataset.Channels == 1 ? "grey" : "RGB")}, {dataset.Classes} {kinds}\n\n");
        var rows = new List<IReadOnlyList<string>> { (string[])[kind, .. dataset.Splits.Select(split => split.Name), "all"] };
        rows.AddRange(Enumerable.Range(0, dataset.Classes).Select(label => CreateRow(
            GetName(dataset, label),
            splits.Select(split => dataset.Find(split, label).Count()))));
        if (dataset.IsMultiLabel) rows.Add(CreateRow("none", splits.Select(split => split.Labels.Count(set => set == 0))));
        rows.Add(CreateRow(dataset.IsMultiLabel ? "images" : "all", splits.Select(split => split.Count)));
        text.Append(TextTable.Render(rows)).Append('\n');
        var (mean, deviation) = dataset.Normalisation;
        text.Append(
            CultureInfo.InvariantCulture,
            $"Mean {Join(mean)}, standard deviation {Join(deviation)}, of training images scaled to 0 … 1.\n");
        var notes = DatasetChecks.Run(dataset).Select(note => note.Text).ToList();
        if (OriginChecks.Describe(dataset) is { } origin) notes.Add(origin);
        if (notes.Count > 0) text.Append('\n').AppendJoin('\n', notes.Select(note => $"note: {note}")).Append('\n');
        return text.ToString();
    }

    private static string GetName(ImageDataset dataset, int label)
    {
        var name = dataset.Info.ClassNames.ElementAtOrDefault(label);
        return name is null ? label.ToString(CultureInfo.InvariantCulture) : $"{label} {name}";
    }

    private static string[] CreateRow(string name, IEnumerable<int> counts)
    {
        var all = counts.ToList();
        return [name, .. all.Append(all.Sum()).Select(count => count.ToString("N0", CultureInfo.InvariantCulture))];
    }

    private static string Join(double[] values) =>
        string.Join(", ", values.Select(value => value.ToString("0.000", CultureInfo.InvariantCulture)));
}
