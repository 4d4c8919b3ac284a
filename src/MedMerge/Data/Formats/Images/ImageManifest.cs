using System.Globalization;
using CsvHelper;

namespace MedMerge.Data.Formats.Images;

/// <summary>
/// A CSV file with a line for each image. The columns are found by their names: the image's path, relative to the file; its class, or with
/// a name in the plural its labels with <c>|</c> between them; if there are such, its split, the group that stays on one side of a
/// split, such as a patient, and how much it counts in training.
/// </summary>
internal static class ImageManifest
{
    private const int MaxProblems = 10;
    private const int MaxLineBytes = 1 << 16;

    private const string NoLabel = "No Finding"; // as NIH ChestX-ray has it

    private static readonly string[] PathNames = ["path", "image", "file", "filename", "image index"];
    private static readonly string[] ClassNames = ["label", "class", "diagnosis", "finding"];
    private static readonly string[] LabelNames = ["labels", "classes", "findings", "finding labels"];
    private static readonly string[] SplitColumnNames = ["split"];
    private static readonly string[] WeightNames = ["sample_weight", "image_weight"]; // a patient's weight is another matter
    private static readonly string[] GroupNames = ["group", "patient", "patient_id", "patientid", "patient id"];

    /// <summary>Reads the list, in the file's order.</summary>
    /// <param name="origin">What messages call the file.</param>
    /// <exception cref="InputException">A column is missing, or lines are wrong; up to ten are named.</exception>
    public static IReadOnlyList<ListedImage> Read(byte[] content, string origin)
    {
        if ((FileContent.DescribeUnlessText(content) ?? (content.Contains((byte)0) ? "no text" : null)) is { } other)
            throw new InputException($"{origin} is {other}; a list of images is a CSV file.");
        var options = new CsvReaderOptions
        {
            TrimWhitespace = true,
            TrackLineNumbers = true,
            MissingField = CsvMissingFieldHandling.ReturnEmpty,
            MalformedData = CsvMalformedDataHandling.Throw,
            MaxRecordSize = MaxLineBytes,
        };
        try
        {
            using var csv = CsvReader.Create(content, options);
            return Read(csv, origin);
        }
        catch (CsvFormatException error)
        {
            throw new InputException($"{origin} can't be read as CSV: {error.Message}", error);
        }
    }

    private static List<ListedImage> Read(CsvReader csv, string origin)
    {
        csv.ReadHeader();
        string[] header = [.. csv.Headers];
        if (header.Length == 0) throw new InputException($"{origin} is empty.");
        var path = Find(header, PathNames) ?? throw MissingColumn(origin, "image's path", PathNames, header);
        var single = Find(header, ClassNames);
        var labels = single is null ? Find(header, LabelNames) : null;
        var label = single ?? labels ?? throw MissingColumn(origin, "class", [.. ClassNames, .. LabelNames], header);
        var split = Find(header, SplitColumnNames);
        var group = Find(header, GroupNames);
        var weight = Find(header, WeightNames);
        var images = new List<ListedImage>();
        var lines = new Dictionary<string, long>(StringComparer.Ordinal);
        var problems = new List<string>();
        while (problems.Count < MaxProblems && csv.Read())
        {
            var line = csv.LineNumber;
            var image = csv.GetString(path);
            var name = csv.GetString(label);
            if (image.Length == 0 || (name.Length == 0 && labels is null))
            {
                problems.Add($"line {line}: no {(image.Length == 0 ? header[path] : header[label])}");
                continue;
            }
            if (!lines.TryAdd(image, line)) problems.Add($"line {line}: '{image}' stands in line {lines[image]} already");
            var splitText = Get(split);
            var found = splitText.Length == 0 ? null : SplitNames.Find(splitText);
            if (splitText.Length > 0 && found is null)
                problems.Add($"line {line}: there is no split '{splitText}'; there are {SplitNames.All}");
            var weightText = Get(weight);
            var counts = ReadWeight(weightText);
            if (weightText.Length > 0 && counts is null) problems.Add($"line {line}: '{weightText}' is no weight; {WeightRange}");
            var member = Get(group);
            images.Add(new ListedImage(image.Replace('\\', '/'), name, found, member.Length == 0 ? null : member)
            {
                Labels = labels is null ? null : ReadLabels(name),
                Weight = counts,
            });
        }
        if (problems.Count > 0)
            throw new InputException($"{origin} has lines that can't be used:\n  {string.Join("\n  ", problems)}");
        return images.Count > 0 ? images : throw new InputException($"{origin} names no images.");

        string Get(int? column) => column is { } place ? csv.GetString(place) : "";
    }

    private static List<string> ReadLabels(string text) =>
    [
        .. text.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(label => !label.Equals(NoLabel, StringComparison.OrdinalIgnoreCase))
            .Distinct(StringComparer.Ordinal),
    ];

    private static string WeightRange { get; } =
        string.Create(CultureInfo.InvariantCulture, $"weights are {ImageDataset.MinWeight} to {ImageDataset.MaxWeight}");

    private static float? ReadWeight(string text)
    {
        var isNumber = float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var weight);
        return isNumber && weight is >= ImageDataset.MinWeight and <= ImageDataset.MaxWeight ? weight : null;
    }

    /// <summary>The column with the first of the names that there is one of.</summary>
    private static int? Find(string[] header, string[] names)
    {
        foreach (var name in names)
        {
            var found = Array.FindIndex(header, column => column.Trim().Equals(name, StringComparison.OrdinalIgnoreCase));
            if (found >= 0) return found;
        }
        return null;
    }

    private static InputException MissingColumn(string origin, string what, string[] names, string[] header) =>
        new($"{origin} has no column with the {what} ({string.Join(", ", names)}); its columns are {string.Join(", ", header)}.");
}
