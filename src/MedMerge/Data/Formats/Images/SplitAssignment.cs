using System.Security.Cryptography;
using System.Text;

namespace MedMerge.Data.Formats.Images;

/// <summary>
/// Deals images out to the splits by seed: every class or label in the same shares as far as groups allow, and no group on two sides.
/// Groups are dealt from the largest to the smallest, each to the split that lacks most of its images; which of equal ones comes first is
/// decided by hash of seed and name, so that an added image moves few others.
/// </summary>
internal static class SplitAssignment
{
    /// <summary>Gives every image a split that has none, and cuts validation from training images where only that is missing.</summary>
    /// <exception cref="InputException">
    /// Only some images have a split, training or test images are missing, or a group is in two of the splits that are given.
    /// </exception>
    public static IReadOnlyList<ListedImage> Complete(IReadOnlyList<ListedImage> images, ImageSettings settings, string origin)
    {
        var validation = settings.ValidationShare;
        if (images.All(image => image.Split is null)) return Deal(images, settings.SplitSeed, validation, settings.TestShare);
        if (images.FirstOrDefault(image => image.Split is null) is { } without)
            throw new InputException($"'{without.Path}' in {origin} has no split, and other images have one.");
        foreach (var split in new[] { DatasetSplit.Train, DatasetSplit.Test })
        {
            if (images.All(image => image.Split != split))
                throw new InputException($"{origin} has no images of the split '{SplitNames.Get(split)}'.");
        }
        CheckGroups(images, origin);
        if (images.Any(image => image.Split == DatasetSplit.Validation)) return images;
        var train = images.Where(image => image.Split == DatasetSplit.Train).ToList();
        var dealt = Deal(train, settings.SplitSeed, validation, test: 0).ToDictionary(image => image.Path);
        return [.. images.Select(image => dealt.GetValueOrDefault(image.Path, image))];
    }

    private static void CheckGroups(IReadOnlyList<ListedImage> images, string origin)
    {
        var divided = images
            .Where(image => image.Group is not null)
            .GroupBy(image => image.Group)
            .Select(group => (group.Key, Images: group.DistinctBy(image => image.Split).ToList())) // one of each split
            .Where(group => group.Images.Count > 1)
            .ToList();
        if (divided.Count == 0) return;
        var (name, members) = divided[0];
        string[] places = [.. members.Select(image => $"'{image.Path}' is in {SplitNames.Get(image.Split!.Value)}")];
        throw new InputException(
            $"In {origin} {divided.Count} group(s) are in more than one split, the first of them '{name}': {places[0]}, {places[1]}. " +
            "So models would be tested on what they know. " +
            "Divide the images otherwise, leave the splits out, or take the column of groups away to have it so.");
    }

    private static List<ListedImage> Deal(IReadOnlyList<ListedImage> images, int seed, double validation, double test)
    {
        double[] shares = [1 - validation - test, validation, test];
        var counts = images.SelectMany(image => image.Kinds).CountBy(kind => kind).ToDictionary();
        var wanted = shares.Select(share => counts.ToDictionary(pair => pair.Key, pair => share * pair.Value)).ToArray();
        var splits = new Dictionary<string, DatasetSplit>();
        var groups = images.GroupBy(GetGroup).Select(group => (group.Key, Images: group.ToList()));
        var dealt = groups
            .OrderByDescending(group => group.Images.Count)
            .ThenBy(group => Hash(seed, group.Key), StringComparer.Ordinal);
        foreach (var (key, members) in dealt)
        {
            var best = Enumerable.Range(0, shares.Length)
                .Where(split => shares[split] > 0)
                .MaxBy(split => members.SelectMany(image => image.Kinds).Sum(kind => wanted[split][kind] / (shares[split] * counts[kind])));
            foreach (var kind in members.SelectMany(image => image.Kinds)) wanted[best][kind]--;
            splits[key] = (DatasetSplit)best;
        }
        return [.. images.Select(image => image with { Split = splits[GetGroup(image)] })];
    }

    private static string GetGroup(ListedImage image) => image.Group is { } group ? $"group {group}" : $"image {image.Path}";

    private static string Hash(int seed, string name) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed} {name}")));
}
