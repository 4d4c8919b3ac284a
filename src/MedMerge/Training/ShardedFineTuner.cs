using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Telemetry;

namespace MedMerge.Training;

/// <summary>
/// Trains a whole model data-parallel: holds its values and AdamW's moments as plain float32 numbers, asks the workers for each shard's
/// gradient and steps down their sum. Batch norm normalises by each shard's own images, as data-parallel training usually does; the
/// running statistics are the shards' mean, weighted by images. It never sees an image or a tensor. If cancelled, it stops between two
/// steps and can be saved there.
/// </summary>
internal sealed class ShardedFineTuner
{
    private static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };
    private readonly FineTuneSettings _settings;
    private readonly bool _startCounts;
    private readonly float[] _values; // parameters, then running statistics
    private readonly float[] _best;
    private readonly float[] _means;
    private readonly float[] _squares;
    private readonly double[] _sum;
    private Progress _progress = new(0, TrainingHistory.Empty, 0, 0, 0);

    /// <param name="start">The model's values; copied.</param>
    /// <param name="parameters">How many of them are parameters; the rest are running statistics.</param>
    /// <param name="startCounts">As <see cref="FineTuner"/> takes it.</param>
    public ShardedFineTuner(float[] start, int parameters, bool startCounts, FineTuneSettings settings)
    {
        _settings = settings;
        _startCounts = startCounts;
        _values = [.. start];
        _best = [.. start];
        _means = new float[parameters];
        _squares = new float[parameters];
        _sum = new double[start.Length];
    }

    /// <summary>Whether all epochs are done.</summary>
    public bool IsDone => _settings.IsWhole(History);

    /// <summary>The best epoch's values so far, the start where there is none.</summary>
    public float[] BestValues => _best;

    /// <summary>Every epoch so far, from 0.</summary>
    public IReadOnlyList<EpochRecord> History => _progress.History.Epochs;

    private int Parameters => _means.Length;

    private float[][] SavedArrays => [_values, _best, _means, _squares];

    /// <summary>Runs the next epoch, or the rest of one that was cancelled; the first call measures the start.</summary>
    /// <exception cref="InputException">The loss is no longer a number: names the epoch.</exception>
    public async Task<EpochRecord> RunEpochAsync(IShardWorkers<FineTuneStep, FineTuneGradient> workers, CancellationToken cancellation)
    {
        var epoch = _progress.History.Count;
        while (epoch > 0 && _progress.Step < workers.StepsPerEpoch)
        {
            cancellation.ThrowIfCancellationRequested();
            await StepAsync(workers, epoch, _progress.Step, cancellation).ConfigureAwait(false);
        }
        TrainingHistory.CheckLoss(_progress.Loss, epoch, _settings);

        var candidate = new FineTuneStep(epoch, _progress.Step, _values);
        var validation = await workers.ValidateAsync(candidate, cancellation).ConfigureAwait(false);
        var record = new EpochRecord(epoch, epoch == 0 ? double.NaN : _progress.Loss / _progress.Images, validation);
        var history = _progress.History.With(record, _startCounts, _settings.Metric);
        _progress = new Progress(_progress.OptimiserSteps, history, Step: 0, Loss: 0, Images: 0);
        if (epoch > 0 && _progress.History.BestEpoch == epoch) _values.CopyTo(_best, 0);
        return record;
    }

    /// <summary>Everything that the next step depends on.</summary>
    public byte[] Save()
    {
        using var state = new MemoryStream();
        using var writer = new BinaryWriter(state);
        writer.Write(JsonSerializer.Serialize(_progress, Json));
        foreach (var numbers in SavedArrays) writer.Write(MemoryMarshal.AsBytes(numbers.AsSpan()));
        writer.Flush();
        return state.ToArray();
    }

    /// <summary>Continues from a state that <see cref="Save"/> gave, of a training with the same start and settings.</summary>
    /// <exception cref="InvalidDataException">It is of another length.</exception>
    public void Restore(byte[] saved)
    {
        using var state = new MemoryStream(saved);
        using var reader = new BinaryReader(state);
        _progress = JsonSerializer.Deserialize<Progress>(reader.ReadString(), Json)
                    ?? throw new JsonException("The progress of fine-tuning is null.");
        if (state.Length - state.Position != SavedArrays.Sum(numbers => (long)numbers.Length * sizeof(float)))
            throw new InvalidDataException("The state of fine-tuning is of another model.");
        foreach (var numbers in SavedArrays) state.ReadExactly(MemoryMarshal.AsBytes(numbers.AsSpan()));
    }

    private async Task StepAsync(
        IShardWorkers<FineTuneStep, FineTuneGradient> workers, int epoch, int step, CancellationToken cancellation)
    {
        var start = Stopwatch.GetTimestamp();
        Array.Clear(_sum);
        var total = await ShardReduction.SumInOrderAsync(workers, new FineTuneStep(epoch, step, _values), Add, cancellation)
            .ConfigureAwait(false);
        for (var i = 0; i < _sum.Length; i++) _sum[i] /= total.Images;

        var rate = _settings.LearningRateAt(epoch, step, workers.StepsPerEpoch);
        var steps = _progress.OptimiserSteps + 1;
        AdamW.Step(_values.AsSpan(0, Parameters), _sum, _means, _squares, steps, rate, _settings.WeightDecay);
        for (var i = Parameters; i < _values.Length; i++) _values[i] = (float)_sum[i];
        _progress = _progress with
        {
            OptimiserSteps = steps,
            Step = step + 1,
            Loss = _progress.Loss + total.Loss,
            Images = _progress.Images + total.Images,
        };
        Instruments.StepDone(TrainingNames.FineTune, start, total.Images);
        Instruments.Gradient(TrainingNames.FineTune, _sum.AsSpan(0, Parameters));
    }

    /// <summary>Gradients are sums over a shard's images already; running statistics are means, and weigh by its images.</summary>
    private void Add(FineTuneGradient part)
    {
        for (var i = 0; i < Parameters; i++) _sum[i] += part.Values[i];
        for (var i = Parameters; i < _sum.Length; i++) _sum[i] += part.Values[i] * (double)part.Images;
    }

    private sealed record Progress(int OptimiserSteps, TrainingHistory History, int Step, double Loss, int Images);
}
