using System.Text;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Gateway.Connections;
using MedMerge.Grains;
using MedMerge.Storage;

namespace MedMerge.Gateway;

/// <summary>What a client submits.</summary>
/// <param name="Specification">The YAML.</param>
/// <param name="Files">Each file that it names, by its path as written, as <c>sha256:HASH/NAME</c>; uploaded before.</param>
internal sealed record SubmitRequest(string Specification, IReadOnlyDictionary<string, string>? Files = null);

/// <summary>Checks what is submitted whole, and starts it.</summary>
internal sealed class Submissions(ArtefactStore artefacts, SweepStore sweeps, ClusterConnection cluster)
{
    /// <summary>The largest specification, in bytes.</summary>
    public const int MaxSpecification = 1024 * 1024;

    private const string Origin = "the specification";

    /// <summary>Whether a specification is too large to be read.</summary>
    public static bool IsTooLarge(SubmitRequest request) => Encoding.UTF8.GetByteCount(request.Specification) > MaxSpecification;

    /// <summary>Starts a sweep, or goes on with it where it was submitted before.</summary>
    /// <exception cref="InputException">It can't be run; the message lists everything found.</exception>
    public async Task<SweepStatus> StartAsync(SubmitRequest request, CancellationToken cancellation)
    {
        var specification = SpecificationReader.ReadSent(request.Specification, Origin, request.Files ?? new Dictionary<string, string>());
        var files = await FilesAsync(specification, cancellation);
        byte[] Read(string location, string kind) => files[location];
        var plan = await Task.Run(() => PlanSummary.Of(Plan.Build(specification, Read)), cancellation);

        var submission = await Submission.WriteAsync(specification, plan, Read, artefacts, cancellation);
        var sweep = cluster.Sweep(submission.Id);
        var isNew = await sweeps.FindAsync(submission.Id, cancellation) is null;
        IReadOnlyList<string?> traces = isNew ? TrialTrace.BeginAll(submission.Id, plan) : [];
        await sweep.StartAsync(new StartSweep(submission.Name, submission.Specification, submission.Plan, traces)).WaitAsync(cancellation);
        var status = await sweep.StatusAsync(-1).WaitAsync(cancellation);
        return status.State == WorkState.Cancelled ? await sweep.ResumeAsync().WaitAsync(cancellation) : status;
    }

    private async Task<IReadOnlyDictionary<string, byte[]>> FilesAsync(Specification specification, CancellationToken cancellation)
    {
        var files = new Dictionary<string, byte[]>();
        var missing = new List<string>();
        foreach (var (location, kind) in FrozenSpecification.Files(specification))
        {
            var hash = FrozenSpecification.HashOf(location)!;
            if (await artefacts.ReadAsync(hash, cancellation) is { } content) files[location] = content;
            else missing.Add($"The {kind} '{location}' was not uploaded; PUT it to /api/v1/files/{hash} first.");
        }
        return missing.Count == 0 ? files : throw new InputException(string.Join('\n', missing));
    }
}
