using System.Collections.Concurrent;
using MedMerge.Data;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Merging.Files;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge;

/// <summary>
/// The library's entry point: merges source models of one architecture into one model of the same architecture, by
/// kernel weights that are learned on a data set, given, or read from the file of an earlier merge. It owns a thread
/// that computes on one device; calls from several threads take turns. See docs/library.md.
/// </summary>
public sealed class ModelMerger : IAsyncDisposable
{
    private const int MinSources = 2;

    private readonly string _deviceName;
    private readonly int _threads;
    private readonly DeviceThread _device;

    /// <param name="device"><c>cpu</c> or <c>cuda:N</c>.</param>
    /// <param name="threads">libtorch's threads; null for one. Another number rounds sums differently.</param>
    /// <exception cref="InputException">This machine has no such device.</exception>
    /// <exception cref="PlatformNotSupportedException">libtorch can't be loaded here; the message says why.</exception>
    public ModelMerger(string device = "cpu", int? threads = null)
    {
        _deviceName = device;
        _threads = threads ?? DeviceThread.DefaultThreads;
        _device = new DeviceThread(device, _threads);
    }

    /// <summary>
    /// Learns kernel weights on the data set's training split, merges by the best epoch's, and certifies the merge. The
    /// same files, settings, seed and threads give the same bytes, here and in a run of the <c>medmerge</c> command.
    /// </summary>
    /// <param name="settings">How they are learned; the defaults where null.</param>
    /// <param name="anchor">Index of the source that most of each filter's weight starts at.</param>
    /// <param name="onEpoch">Called after every epoch.</param>
    /// <exception cref="InputException">
    /// A file is missing, damaged or of another architecture, two sources are the same model, settings don't fit the
    /// data, or the merge can't be certified.
    /// </exception>
    public async Task<MergedModel> LearnAsync(
        MergeInputs inputs,
        KernelWeightSettings? settings = null,
        int anchor = 0,
        ulong seed = 0,
        Action<EpochRecord>? onEpoch = null,
        CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(anchor);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(anchor, inputs.Sources.Count);
        var plan = await PlanAsync(inputs, settings ?? new KernelWeightSettings(), anchor, seed, cancellation).ConfigureAwait(false);
        var trial = plan.Trials.Single();
        var learn = trial.FindOutput(OutputRole.KernelWeightHistory)!.Stage;
        var merge = trial.FindOutput(OutputRole.MergedModel)!.Stage;
        return await RunAsync(merge, learn, plan.Notes, onEpoch, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Merges by given kernel weights and certifies the merge. The data set gives batch norm's statistics and the head.
    /// </summary>
    /// <param name="kernelWeights">
    /// For the sources in their order, such as <see cref="KernelWeightMatrix.Uniform"/>; those of each filter must add up to 1.
    /// </param>
    /// <exception cref="ArgumentException">The kernel weights are for other sources, or no shares of them.</exception>
    /// <exception cref="InputException">As for <see cref="LearnAsync"/>.</exception>
    public async Task<MergedModel> MergeAsync(
        MergeInputs inputs,
        KernelWeightMatrix kernelWeights,
        CancellationToken cancellation = default)
    {
        var settings = new KernelWeightSettings();
        var plan = await PlanAsync(inputs, settings, anchor: 0, seed: 0, cancellation).ConfigureAwait(false);
        var stages = new ScenarioStages(plan.Scenarios.Single());
        Check(kernelWeights, stages.Target.Architecture, stages.Sources.Count);
        Stage[] prepared = [.. stages.Sources.Select(source => new PrepareStage(source, stages.Target.Architecture))];
        var given = new GivenKernelWeightStage(prepared, kernelWeights, settings.HeadDecay, stages.Target);
        var merge = new MergeStage(prepared, stages.SourceNames, given, Fixed: null, Anchor.At(0), stages.Target);
        return await RunAsync(merge, learn: null, plan.Notes, onEpoch: null, cancellation).ConfigureAwait(false);
    }

    /// <summary>Merges by a file of kernel weights from an earlier merge: the same bytes, without data.</summary>
    /// <param name="sources">The source models that the kernel weights belong to, by name, in any order.</param>
    /// <exception cref="InputException">
    /// A file is missing or damaged, or a source is not the one that the weights were learned for.
    /// </exception>
    public Task<MergedModel> ApplyAsync(
        string kernelWeightFile,
        IReadOnlyList<SourceFile> sources,
        CancellationToken cancellation = default) => Task.Run(() =>
    {
        var bytes = InputFile.Read(kernelWeightFile, KernelWeightMerger.FileKind);
        var learned = LearnedKernelWeights.Read(bytes, $"'{kernelWeightFile}'");
        using var merger = new KernelWeightMerger(learned, sources, _threads, cancellation);
        var model = new byte[merger.Length];
        merger.Write((offset, content) => content.CopyTo(model.AsSpan((int)offset)));
        return new MergedModel(model, bytes, learned) { Notes = merger.Notes };
    }, cancellation);

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _device.DisposeAsync();

    /// <summary>The merge as the trial of a sweep of one method and one seed, checked as a sweep is.</summary>
    private async Task<Plan> PlanAsync(
        MergeInputs inputs,
        KernelWeightSettings settings,
        int anchor,
        ulong seed,
        CancellationToken cancellation)
    {
        if (inputs.Sources.Count < MinSources)
            throw new InputException($"Merging needs at least {MinSources} sources; there are {inputs.Sources.Count}.");
        if (inputs.Sources.GroupBy(source => source.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new InputException($"Two sources are named '{twice.Key}'.");
        var specification = new Specification
        {
            Name = nameof(ModelMerger),
            Target = DatasetSource.Find(inputs.Data),
            Architecture = Architectures.Create(inputs.Architecture, inputs.Width),
            Sources =
            [
                .. inputs.Sources.Select(source =>
                    new SourceModel(source.Name, source.Path, Pretrain: null) { Prefix = source.Prefix?.TrimEnd('.') }),
            ],
            Anchor = anchor,
            Methods = [MethodRegistry.Proposed.Name],
            Seeds = [seed],
            Settings = new ScenarioSettings { KernelWeights = settings, Device = _deviceName, Threads = _threads },
        };
        return await _device.RunAsync(() => Plan.Build(specification), cancellation).ConfigureAwait(false);
    }

    private async Task<MergedModel> RunAsync(
        Stage merge,
        Stage? learn,
        IReadOnlyList<string> notes,
        Action<EpochRecord>? onEpoch,
        CancellationToken cancellation)
    {
        var store = new MemoryStageStore();
        var warnings = new ConcurrentQueue<string>();
        var runner = new StageRunner(
            store,
            _device,
            (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)),
            onWarning: (_, warning) => warnings.Enqueue(warning));
        var output = await runner.OutputAsync(merge, (epoch, _) => onEpoch?.Invoke(epoch), cancellation).ConfigureAwait(false);
        var history = learn is null
            ? []
            : StageFiles.Read<List<EpochRecord>>(await store.GetAsync(learn.Key, cancellation).ConfigureAwait(false), StageFiles.History);

        return await _device.RunAsync(() =>
        {
            var kernelWeightFile = output[StageFiles.KernelWeights];
            var learned = LearnedKernelWeights.Read(kernelWeightFile, "the merge");
            return new MergedModel(output[StageFiles.Model], kernelWeightFile, learned)
            {
                Certificate = StageFiles.Read<Certificate>(output, StageFiles.Certificate),
                History = history,
                Notes = [.. notes, .. warnings],
            };
        }, cancellation).ConfigureAwait(false);
    }

    private static void Check(KernelWeightMatrix kernelWeights, Architecture architecture, int sources)
    {
        if (kernelWeights.Architecture.Title != architecture.Title || kernelWeights.Sources != sources)
        {
            throw new ArgumentException(
                $"The kernel weights are for {kernelWeights.Sources} sources of a {kernelWeights.Architecture.Title}; " +
                $"there are {sources} of a {architecture.Title}.",
                nameof(kernelWeights));
        }
        if (!Merging.KernelWeights.AreShares(kernelWeights))
        {
            throw new ArgumentException(
                "The kernel weights are no shares of the sources: some are negative, or those of a filter do not add up to 1.",
                nameof(kernelWeights));
        }
    }
}
