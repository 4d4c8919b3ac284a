using MedMerge.Data;
using MedMerge.Data.Formats;

namespace MedMerge.Testing;

/// <summary>
/// A format that only tests know: a folder, written with a slash behind it, with <c>SPLIT/CLASS/NAME.grey</c> of 8 × 8 bytes each.
/// It shows what a new format takes: a class and a place in <see cref="DatasetFormats"/>.
/// </summary>
internal sealed class ClassFolderFormat : IDatasetFormat
{
    private const int Side = 8;

    /// <summary>The formats that there are, and this.</summary>
    public static DatasetFormats Formats { get; } = new(new PhantomFormat(), new ClassFolderFormat(), new MedMnistFormat());

    public string Description => "a folder of classes, with a slash behind it";

    public LocationKind Kind => LocationKind.Folder;

    public bool HasFixedClasses => true;

    public bool Matches(string location) => location.EndsWith('/');

    public ImageDataset Load(string location, int? classes, ImageSettings settings, FileReader read)
    {
        string[] names = [.. Directory.GetDirectories(Path.Combine(location, "train")).Select(path => Path.GetFileName(path)!).Order()];
        var info = new DatasetInfo
        {
            Name = Path.GetFileName(location.TrimEnd('/')),
            Height = Side,
            Width = Side,
            Channels = 1,
            Classes = names.Length,
            ClassNames = names,
            Provenance = new Provenance("folder of classes", Sha256: null),
        };
        return new ImageDataset(info, ReadSplit("train"), ReadSplit("val"), ReadSplit("test")).Validated();

        ImageSplit ReadSplit(string split)
        {
            var files = names.Index().SelectMany(name => Directory.GetFiles(Path.Combine(location, split, name.Item)).Order()
                .Select(file => (Pixels: read(file, ImageDataset.Kind), Label: name.Index))).ToList();
            return new ImageSplit([.. files.SelectMany(file => file.Pixels)], [.. files.Select(file => file.Label)]);
        }
    }

    /// <summary>Writes such a folder.</summary>
    /// <param name="images">Training images of each class; the other splits have half as many.</param>
    public static void Write(string folder, int images, params ReadOnlySpan<string> classes)
    {
        foreach (var split in new[] { "train", "val", "test" })
        {
            foreach (var (label, name) in classes.ToArray().Index())
            {
                var inner = Directory.CreateDirectory(Path.Combine(folder, split, name)).FullName;
                for (var i = 0; i < (split == "train" ? images : images / 2); i++)
                {
                    var pixels = Enumerable.Range(0, Side * Side).Select(pixel => (byte)((pixel * (label + 1)) + i));
                    File.WriteAllBytes(Path.Combine(inner, $"{i}.grey"), [.. pixels]);
                }
            }
        }
    }
}
