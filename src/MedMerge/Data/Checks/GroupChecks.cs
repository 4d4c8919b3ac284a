namespace MedMerge.Data.Checks;

/// <summary>
/// Notes on groups, such as patients, of which a source has learned from some images and the target tests others. They are known by their
/// names, so two data sets must not give one name to two patients.
/// </summary>
internal static class GroupChecks
{
    /// <summary>Images of a target's validation and test splits whose groups a model has learned from.</summary>
    /// <param name="trained">What the model was trained on.</param>
    public static IEnumerable<DataNote> Between(ImageDataset trained, ImageDataset target)
    {
        if (trained.Train.Groups is not { } groups) yield break;
        var learned = groups.Where(group => group != 0).ToHashSet();
        foreach (var (name, split) in target.Splits.Where(split => split.Split != target.Train))
        {
            var count = split.Groups?.Count(learned.Contains) ?? 0;
            var verb = count == 1 ? "is of a group" : "are of groups";
            if (count > 0)
                yield return new DataNote($"{CheckedImage.Count(count)} of {name} {verb} that the source has learned from", IsLeak: true);
        }
    }
}
