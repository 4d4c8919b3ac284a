using System.Text;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Gateway.Connections;
using MedMerge.Grains;
using MedMerge.Storage;
using MedMerge.Tensors;

namespace MedMerge.Gateway;

/// <summary>The body of a submission.</summary>
/// <param name="Specification">The specification as YAML.</param>
/// <param name="Files">Uploaded files as <c>sha256:HASH/NAME</c>, keyed by the path written in the specification.</param>
internal sealed record SubmitRequest(string Specification, IReadOnlyDictionary<string, string>? Files = null);

/// <summary>Checks a whole submission and starts its sweep.</summary>
internal sealed class Submissions(ArtefactStore artefacts, SweepStore sweeps, ClusterConnection cluster)
{
    /// <summary>Largest specification in bytes of UTF-8.</summary>
    public const int MaxSpecification = 1024 * 1024;

    /// <summary>Largest body in bytes: JSON escapes can make a specification several times as long.</summary>
    public const int MaxBody = 8 * MaxSpecification;

    private const string Origin = "the specification";

    /// <summary>Whether a specification exceeds <see cref="MaxSpecification"/>.</summary>
    public static bool IsTooLarge(SubmitRequest request) => Encoding.UTF8.GetByteCount(request.Specification) > MaxSpecification;

    /// <summary>Starts a sweep, or resumes it if it was submitted before.</summary>
    /// <exception cref="InputException">The specification is invalid; the message lists every problem.</exception>
    public async Task<SweepStatus> StartAsync(SubmitRequest request, CancellationToken cancellation)
    {
        var (submission, summary) = await WriteAsync(request, cancellation);
        var sweep = cluster.Sweep(submission.Id);
        var isNew = !await sweeps.ExistsAsync(submission.Id, cancellation);
        IReadOnlyList<string?> traces = isNew ? TrialTrace.BeginAll(submission.Id, summary) : [];
        var start = new StartSweep(submission.Name, submission.Specification, submission.Plan, traces);
        await sweep.StartAsync(start).WaitAsync(cancellation);
        var status = await sweep.StatusAsync(SweepStatus.NoVersion).WaitAsync(cancellation);
        if (status.State == WorkState.Cancelled) status = await sweep.ResumeAsync().WaitAsync(cancellation);
        return status;
    }

    /// <summary>Has a sweep take a larger specification.</summary>
    /// <exception cref="InputException">The specification is invalid, or lacks trials of the sweep.</exception>
    public async Task<SweepStatus> ExtendAsync(string id, SubmitRequest request, CancellationToken cancellation)
    {
        if (IsTooLarge(request)) throw new InputException($"The specification has more than {MaxSpecification} bytes.");
        var (submission, _) = await WriteAsync(request, cancellation);
        var extended = new StartSweep(submission.Name, submission.Specification, submission.Plan, []);
        try
        {
            return await cluster.Sweep(id).ExtendAsync(extended).WaitAsync(cancellation);
        }
        catch (ArgumentException refused)
        {
            throw new InputException(refused.Message, refused);
        }
    }

    /// <summary>Checks a specification and keeps what its sweep needs.</summary>
    /// <exception cref="InputException">The specification is invalid; the message lists every problem.</exception>
    public async Task<(Submission Submission, PlanSummary Plan)> WriteAsync(SubmitRequest request, CancellationToken cancellation)
    {
        var uploaded = request.Files ?? new Dictionary<string, string>();
        var specification = await Task.Run(
            () => ScenarioLoader.Read(() => SpecificationReader.ReadUploaded(request.Specification, Origin, uploaded), Read),
            cancellation);
        await CheckFilesAsync(specification, cancellation);
        specification = await NameDevicesAsync(specification, cancellation);
        byte[] Read(string location, string kind) => ReadFile(location, kind, cancellation);
        var plan = await Task.Run(() => Plan.Build(specification, Read), cancellation);
        var summary = PlanSummary.Of(plan);
        return (await Submission.WriteAsync(plan, summary, Read, artefacts, cancellation), summary);
    }

    /// <summary>Adds the model of the cluster's GPUs where a specification asks for one and does not say which.</summary>
    private async Task<Specification> NameDevicesAsync(Specification specification, CancellationToken cancellation)
    {
        if (specification.GetPoints().All(point => DeviceName.IsWhole(point.Settings.Device))) return specification;
        var nodes = await cluster.Nodes.ListAsync().WaitAsync(cancellation);
        var kinds = nodes.Where(node => node.IsActive).Select(node => node.Device).OfType<string>().ToList();
        return specification.WithDevices(device => DeviceName.InCluster(device, kinds));
    }

    /// <summary>
    /// Checks that every file was uploaded and is whole, one after the other: together they may be larger than the memory.
    /// </summary>
    private async Task CheckFilesAsync(Specification specification, CancellationToken cancellation)
    {
        var missing = new List<string>();
        foreach (var (location, kind) in FrozenSpecification.Files(specification))
        {
            if (FrozenSpecification.HashOf(location) is not { } hash) continue; // drawn, not read
            if (await artefacts.RenewAsync(hash, cancellation) is null)
                missing.Add($"The {kind} '{location}' was not uploaded; PUT it to /api/v1/files/{hash} first.");
        }
        if (missing.Count > 0) throw new InputException(string.Join('\n', missing));
    }

    /// <summary>Reads a file when the plan asks for it, on a thread of the plan's own.</summary>
    private byte[] ReadFile(string location, string kind, CancellationToken cancellation) =>
        artefacts.ReadAsync(FrozenSpecification.HashOf(location)!, cancellation).GetAwaiter().GetResult()
        ?? throw new InputException($"The {kind} '{location}' is not here, or not any more: upload it.");
}
