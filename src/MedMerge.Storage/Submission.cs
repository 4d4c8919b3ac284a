using System.Text;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;

namespace MedMerge.Storage;

/// <summary>
/// A frozen specification in the store, with every file that it names: from here on no path is needed.
/// </summary>
/// <param name="Id">The sweep's: the specification's name and the start of its hash, so that submitting twice is
/// submitting once.</param>
/// <param name="Name">As shown to people.</param>
/// <param name="Specification">SHA-256 of the frozen specification.</param>
/// <param name="Plan">SHA-256 of the plan's summary.</param>
internal sealed record Submission(string Id, string Name, string Specification, string Plan)
{
    private const int HashDigits = 12, MaxSlug = 40;

    /// <summary>Writes the files, the specification, and the plan's summary.</summary>
    /// <param name="read">Gives the files that the specification names.</param>
    public static async Task<Submission> WriteAsync(
        Specification specification, PlanSummary plan, FileReader read, ArtefactStore artefacts, CancellationToken cancellation)
    {
        var addresses = new Dictionary<string, string>();
        foreach (var (location, kind) in FrozenSpecification.Files(specification))
        {
            if (FrozenSpecification.HashOf(location) is not null)
            {
                addresses[location] = location; // uploaded before
                continue;
            }
            var content = read(location, kind);
            await artefacts.WriteAsync(content, cancellation).ConfigureAwait(false);
            addresses[location] = FrozenSpecification.Address(content, location);
        }
        var frozen = FrozenSpecification.Freeze(specification, location => addresses[location]);
        var hash = await artefacts.WriteAsync(FrozenSpecification.Write(frozen), cancellation).ConfigureAwait(false);
        var summary = await artefacts.WriteAsync(plan.Write(), cancellation).ConfigureAwait(false);
        return new Submission($"{Slug(specification.Name)}-{hash[..HashDigits]}", specification.Name, hash, summary);
    }

    private static string Slug(string name)
    {
        var slug = new StringBuilder();
        foreach (var letter in name.ToLowerInvariant().Take(MaxSlug)) slug.Append(char.IsAsciiLetterOrDigit(letter) ? letter : '-');
        return slug.ToString().Trim('-') is { Length: > 0 } text ? text : "sweep";
    }
}
