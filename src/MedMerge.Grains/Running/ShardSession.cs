using System.Runtime.CompilerServices;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Grains.Running;

/// <summary>One stage's data and models on this node's device, shared by those of its shards that are here.</summary>
internal abstract class ShardSession(string stage, DeviceThread device)
{
    /// <summary>The stage's key.</summary>
    public string Stage => stage;

    /// <summary>One for each shard that shares it.</summary>
    public Stack<IDisposable> Shards { get; } = [];

    /// <summary>The same for every shard.</summary>
    public abstract int StepsPerEpoch { get; }

    /// <summary>The device's thread.</summary>
    protected DeviceThread Device => device;

    /// <summary>Another of its shards.</summary>
    public abstract IShard CreateShard(int shard);

    /// <summary>Called when it is closed.</summary>
    public Action? Closed { get; set; }

    /// <summary>Frees the device's memory.</summary>
    public async Task CloseAsync()
    {
        try
        {
            await FreeAsync().ConfigureAwait(false);
        }
        finally
        {
            Closed?.Invoke();
        }
    }

    /// <inheritdoc cref="CloseAsync" />
    protected abstract Task FreeAsync();
}

/// <summary>A shard on this node's device.</summary>
internal interface IShard
{
    /// <inheritdoc cref="IShardGrain.PutAsync" />
    void Put(StepPart part);

    /// <inheritdoc cref="IShardGrain.GradientAsync" />
    Task<GradientPart> GradientAsync(StepPart last);

    /// <inheritdoc cref="IShardGrain.GetAsync" />
    PackedNumbers Get(int epoch, int step, int offset);

    /// <inheritdoc cref="IShardGrain.ValidateAsync" />
    Task<ValidationMessage> ValidateAsync(StepPart last);
}

/// <inheritdoc />
internal sealed class ShardSession<TStep, TGradient, TNumber>(
    string stage,
    DeviceThread device,
    IShardComputer<TStep, TGradient> computer,
    IShardFormat<TStep, TGradient, TNumber> format)
    : ShardSession(stage, device)
    where TStep : IShardStep
    where TGradient : class, IShardGradient
    where TNumber : unmanaged
{
    /// <inheritdoc />
    public override int StepsPerEpoch => computer.StepsPerEpoch;

    /// <inheritdoc />
    public override IShard CreateShard(int shard) => new Shard(shard, this);

    /// <inheritdoc />
    protected override Task FreeAsync() => Device.RunAsync(computer.Dispose, CancellationToken.None);

    private Task<T> RunAsync<T>(Func<IShardComputer<TStep, TGradient>, T> work) =>
        Device.RunAsync(() => work(computer), CancellationToken.None);

    private TStep Read(StepPart part, TNumber[] values) => format.ReadStep(part.Epoch, part.Step, values);

    private TNumber[] Write(TGradient gradient) => format.Write(gradient);

    private sealed class Shard(int number, ShardSession<TStep, TGradient, TNumber> session) : IShard
    {
        private readonly HashSet<int> _received = [];
        private (int Epoch, int Step) _at = (-1, 0);
        private TNumber[] _values = [];
        private TGradient? _gradient;
        private TNumber[] _answer = [];

        public void Put(StepPart part)
        {
            if (_at != (part.Epoch, part.Step))
            {
                _at = (part.Epoch, part.Step);
                _received.Clear();
            }
            var length = part.Values.Total / Unsafe.SizeOf<TNumber>();
            if (_values.Length != length) _values = new TNumber[length];
            part.Values.Unpack(_values);
            _received.Add(part.Values.Offset);
        }

        public async Task<GradientPart> GradientAsync(StepPart last)
        {
            var step = Complete(last);
            var gradient = _gradient = await session.RunAsync(computer => computer.Gradient(number, step)).ConfigureAwait(false);
            _answer = session.Write(gradient);
            var first = PackedNumbers.Pack(_answer, offset: 0);
            return new GradientPart(gradient.Epoch, gradient.Step, gradient.Shard, gradient.Images, gradient.Loss, first);
        }

        public PackedNumbers Get(int epoch, int step, int offset) =>
            _gradient is { } gradient && gradient.Epoch == epoch && gradient.Step == step
                ? PackedNumbers.Pack(_answer, offset)
                : throw new InvalidDataException($"The gradient of epoch {epoch}, step {step} is not here.");

        public async Task<ValidationMessage> ValidateAsync(StepPart last)
        {
            var candidate = Complete(last);
            var validation = await session.RunAsync(computer => computer.Validate(candidate, CancellationToken.None)).ConfigureAwait(false);
            return new ValidationMessage(
                validation.MacroF1,
                validation.Loss,
                validation.BalancedAccuracy,
                validation.Accuracy,
                validation.Auc,
                validation.QuadraticKappa);
        }

        /// <summary>The step, once its last part is here.</summary>
        private TStep Complete(StepPart last)
        {
            Put(last);
            return _received.Count == PackedNumbers.Offsets(last.Values.Total).Count()
                ? session.Read(last, _values)
                : throw new InvalidDataException($"The numbers of epoch {last.Epoch}, step {last.Step} are incomplete.");
        }
    }
}
