namespace MedMerge.Data.Formats.Images;

/// <summary>Images in a folder for each class, as torchvision reads them: <c>CLASS/IMAGE</c>, or <c>SPLIT/CLASS/IMAGE</c>.</summary>
internal static class ClassFolders
{
    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dcm"];

    /// <summary>Lists the images, in the order of their paths. Files that are no images by their names are passed over.</summary>
    /// <exception cref="InputException">There are none, or one stands in no class's folder.</exception>
    public static IReadOnlyList<ListedImage> List(IImageFiles files)
    {
        var images = files.Paths
            .Where(IsImage)
            .Order(StringComparer.Ordinal)
            .Select(path => (Path: path, Folders: path.Split('/')[..^1]))
            .ToList();
        if (images.Count == 0)
            throw new InputException($"{files.Origin} holds no images ({string.Join(", ", Extensions)}).");
        var depth = CountSharedFolders([.. images.Select(image => image.Folders)]);
        if (images.TrueForAll(image => image.Folders.Length == depth))
        {
            var folder = depth > 0 ? $"in one folder, '{images[0].Folders[^1]}'" : "in no folder";
            throw new InputException($"All images of {files.Origin} are {folder}; there must be one for each of two or more classes.");
        }
        var hasSplits = images.TrueForAll(image => image.Folders.Length > depth && SplitNames.Find(image.Folders[depth]) is not null);
        var classDepth = hasSplits ? depth + 1 : depth;
        if (images.Find(image => image.Folders.Length <= classDepth) is { Path: { } stray })
        {
            throw new InputException(
                $"The image '{stray}' in {files.Origin} is in no class's folder; wanted is CLASS/IMAGE, or SPLIT/CLASS/IMAGE with " +
                $"the splits train, val and test. A CSV file can name images and classes otherwise.");
        }
        return
        [
            .. images.Select(image => new ListedImage(
                image.Path,
                image.Folders[classDepth],
                hasSplits ? SplitNames.Find(image.Folders[depth]) : null)),
        ];
    }

    private static bool IsImage(string path)
    {
        var isHidden = path.Split('/').Any(part => part.StartsWith('.') || part == "__MACOSX");
        return !isHidden && Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>How many folders all images have in common: a zip often has one around everything. A single class is none.</summary>
    private static int CountSharedFolders(IReadOnlyList<string[]> folders)
    {
        var depth = 0;
        while (folders.All(path => path.Length > depth && path[depth] == folders[0][depth])) depth++;
        return depth;
    }
}
