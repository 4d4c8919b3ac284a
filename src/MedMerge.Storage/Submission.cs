using System.Text;
using MedMerge.Data;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Tensors;

namespace MedMerge.Storage;

/// <summary>
/// A frozen specification in the store, with the packed data sets and the weight files that it names: from here on no path
/// and no format of data sets is needed.
/// </summary>
/// <param name="Id">The sweep's: the specification's name and the start of its hash, so that submitting twice is
/// submitting once.</param>
/// <param name="Name">As shown to people.</param>
/// <param name="Specification">SHA-256 of the frozen specification.</param>
/// <param name="Plan">SHA-256 of the plan's summary.</param>
internal sealed record Submission(string Id, string Name, string Specification, string Plan)
{
    private const int HashDigits = 12, MaxSlug = 40;

    /// <summary>Writes the packed data sets, the weight files, the specification, and the plan's summary.</summary>
    /// <param name="summary">Of the plan.</param>
    /// <param name="read">Gives the weight files that the specification names.</param>
    /// <exception cref="InputException">A data set is too large to be packed.</exception>
    public static async Task<Submission> WriteAsync(
        Plan plan,
        PlanSummary summary,
        FileReader read,
        ArtefactStore artefacts,
        CancellationToken cancellation)
    {
        var specification = plan.Specification;
        var data = new Dictionary<DatasetSource, string>();
        foreach (var (source, dataset) in plan.Datasets)
            data[source] = await WriteAsync(PackedDataset.Write(dataset), dataset.Name, artefacts, cancellation).ConfigureAwait(false);
        var weights = new Dictionary<string, string>();
        foreach (var path in FrozenSpecification.WeightFiles(specification))
        {
            var isUploaded = FrozenSpecification.HashOf(path) is not null;
            weights[path] = isUploaded
                ? path
                : await WriteAsync(read(path, ModelFile.Kind), path, artefacts, cancellation).ConfigureAwait(false);
        }
        var frozen = FrozenSpecification.Freeze(specification, source => data[source], path => weights[path]);
        var hash = await artefacts.WriteAsync(FrozenSpecification.Write(frozen), cancellation).ConfigureAwait(false);
        var planHash = await artefacts.WriteAsync(summary.Write(), cancellation).ConfigureAwait(false);
        return new Submission($"{Slug(specification.Name)}-{hash[..HashDigits]}", specification.Name, hash, planHash);
    }

    /// <returns>The content's address.</returns>
    private static async Task<string> WriteAsync(
        byte[] content,
        string name,
        ArtefactStore artefacts,
        CancellationToken cancellation)
    {
        await artefacts.WriteAsync(content, cancellation).ConfigureAwait(false);
        return FrozenSpecification.Address(content, name);
    }

    private static string Slug(string name)
    {
        var slug = new StringBuilder();
        foreach (var letter in name.ToLowerInvariant().Take(MaxSlug)) slug.Append(char.IsAsciiLetterOrDigit(letter) ? letter : '-');
        return slug.ToString().Trim('-') is { Length: > 0 } text ? text : "sweep";
    }
}
