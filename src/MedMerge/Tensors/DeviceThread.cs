using System.Diagnostics;
using System.Threading.Channels;
using MedMerge.Telemetry;
using TorchSharp;

namespace MedMerge.Tensors;

/// <summary>
/// The one thread that computes on one device. TorchSharp's dispose scopes and <c>no_grad</c> are thread-static and libtorch's
/// thread count is too, so all tensor work goes through here; callers await the answer.
/// </summary>
internal sealed class DeviceThread : IAsyncDisposable
{
    /// <summary>
    /// A fixed number, so that results agree between machines. One: small convolutions gain little from a second thread, and lanes use the
    /// other cores (bench/results/lanes.md).
    /// </summary>
    public const int DefaultThreads = 1;

    /// <summary>The most threads a user may ask for.</summary>
    public const int MaxThreads = 1024;

    private readonly Lane _lane;
    private readonly int _threads;
    private long _worked; // ticks of Stopwatch

    /// <param name="device"><c>cpu</c> or <c>cuda:N</c>.</param>
    /// <param name="threads">
    /// libtorch's threads for work that is given here; sums depend on it, so it is part of a frozen specification.
    /// </param>
    /// <exception cref="InputException">This machine has no such device.</exception>
    public DeviceThread(string device, int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        Device = Find(device);
        _lane = new Lane(device);
        _threads = threads;
    }

    private DeviceThread(DeviceThread other, int threads)
    {
        Device = other.Device;
        _lane = other._lane;
        _threads = threads;
    }

    /// <summary>The device that work runs on.</summary>
    public torch.Device Device { get; }

    /// <summary>Time since the running work last reached a <see cref="Yield"/> or began; zero while none runs.</summary>
    public TimeSpan TimeSinceProgress => _lane.TimeSinceProgress;

    /// <summary>Time that the thread has worked for this object; other work that ran meanwhile does not count.</summary>
    public TimeSpan WorkedTime => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _worked));

    /// <summary>The same thread, for work with another number of libtorch's threads. Dispose of one of them.</summary>
    public DeviceThread ForThreads(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        return new DeviceThread(this, threads);
    }

    /// <summary>This machine's device of that name.</summary>
    /// <exception cref="InputException">This machine has no such device.</exception>
    public static torch.Device Find(string device)
    {
        if (!DeviceName.IsValid(device)) throw new InputException($"device '{device}' is not known: use {DeviceName.Forms}.");
        TorchRuntime.Start();
        if (DeviceName.CudaIndex(device) is not { } index) return torch.CPU;
        if (!torch.cuda.is_available())
        {
            throw new InputException(
                $"device '{device}' asks for CUDA, which this build or machine lacks. " +
                "Build with -p:TorchBackend=cuda on a machine with an NVIDIA driver.");
        }
        if (index >= torch.cuda.device_count())
            throw new InputException($"device '{device}' is not there: this machine has {torch.cuda.device_count()} CUDA device(s).");
        TorchRuntime.MakeCudaReproducible();
        return new torch.Device(DeviceType.CUDA, index);
    }

    /// <summary>The device's name with the model of this machine's GPU.</summary>
    /// <exception cref="InputException">This machine has no such device, or one of another model.</exception>
    public static string NameInFull(string device)
    {
        if (device == DeviceName.Cpu) return device; // every machine has one, so libtorch is not loaded for that
        Find(device);
        return DeviceName.With(device, CudaDriver.GetName(DeviceName.CudaIndex(device)!.Value));
    }

    /// <summary>
    /// Runs <paramref name="work"/> on the device thread, inside a dispose scope of its own: what leaves it must be
    /// detached from scopes or be plain data.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled before it began, or by the work itself.</exception>
    public async Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellation)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _lane.WriteAsync(() =>
        {
            if (cancellation.IsCancellationRequested)
            {
                answer.TrySetCanceled(cancellation);
                return;
            }
            try
            {
                _lane.Use(_threads);
                answer.TrySetResult(Measure(work));
            }
            catch (OperationCanceledException cancelled)
            {
                answer.TrySetCanceled(cancelled.CancellationToken);
            }
            catch (Exception error)
            {
                answer.TrySetException(error);
            }
        }, cancellation).ConfigureAwait(false);
        return await answer.Task.ConfigureAwait(false);
    }

    /// <summary>Runs work in a dispose scope, and adds its time before the caller hears of its end.</summary>
    private T Measure<T>(Func<T> work)
    {
        var outer = _lane.BeginWork();
        try
        {
            using var scope = torch.NewDisposeScope();
            return work();
        }
        finally
        {
            Interlocked.Add(ref _worked, _lane.EndWork(outer));
        }
    }

    /// <inheritdoc cref="RunAsync{T}" />
    public Task RunAsync(Action work, CancellationToken cancellation) => RunAsync(() =>
    {
        work();
        return true;
    }, cancellation);

    /// <summary>
    /// Cooperative yield point for long work, such as between the batches of a pass over a split: runs the queued work of this device's
    /// thread before it returns, so that a step of another trial does not wait for all of the long one. On any other thread it only checks
    /// the cancellation.
    /// </summary>
    /// <exception cref="OperationCanceledException">The work is cancelled.</exception>
    public static void Yield(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Lane.Current?.RunWaiting();
    }

    /// <summary>Finishes what is queued and ends the thread.</summary>
    public ValueTask DisposeAsync() => _lane.DisposeAsync();

    /// <summary>The thread itself with its queue.</summary>
    private sealed class Lane : IAsyncDisposable
    {
        private const int QueueCapacity = 256;

        /// <summary>How many pieces of long work may be suspended in each other; each keeps its memory on the device.</summary>
        private const int MaxDepth = 4;

        [ThreadStatic]
        private static Lane? _current;

        private readonly Channel<Action> _queue = Channel.CreateBounded<Action>(QueueCapacity);
        private readonly BusyShare _busy = new();
        private readonly IDisposable _readings;
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _depth;
        private int _threads;
        private (long Start, long Nested) _work; // time stamps of Stopwatch; of the innermost work
        private long _lastProgress; // time stamp of Stopwatch; 0 while there is no work

        public Lane(string device)
        {
            _readings = Instruments.Devices.Add(
                () => [new DeviceReading(device, _queue.Reader.Count, _busy.Read(), torch.Tensor.TotalCount)]);
            new Thread(Run) { IsBackground = true, Name = $"device {device}" }.Start();
        }

        /// <inheritdoc cref="DeviceThread.TimeSinceProgress" />
        public TimeSpan TimeSinceProgress =>
            Interlocked.Read(ref _lastProgress) is var last and not 0 ? Stopwatch.GetElapsedTime(last) : TimeSpan.Zero;

        /// <summary>The lane that runs on this thread, if any.</summary>
        public static Lane? Current => _current;

        public ValueTask WriteAsync(Action work, CancellationToken cancellation) => _queue.Writer.WriteAsync(work, cancellation);

        /// <summary>Sets libtorch's threads for what follows on this thread.</summary>
        public void Use(int threads)
        {
            if (threads == _threads) return;
            torch.set_num_threads(threads);
            _threads = threads;
        }

        /// <summary>Begins to measure work on this thread.</summary>
        /// <returns>What <see cref="EndWork"/> takes.</returns>
        public (long Start, long Nested) BeginWork()
        {
            var outer = _work;
            _work = (Stopwatch.GetTimestamp(), 0);
            return outer;
        }

        /// <summary>Ends it.</summary>
        /// <returns>Its time, without that of work that ran inside it.</returns>
        public long EndWork((long Start, long Nested) outer)
        {
            var all = Stopwatch.GetTimestamp() - _work.Start;
            var own = all - _work.Nested;
            _work = outer with { Nested = outer.Nested + all };
            return own;
        }

        /// <summary>Runs the work that is queued now, and none that arrives meanwhile, so the caller waits for a bounded time.</summary>
        public void RunWaiting()
        {
            RecordProgress();
            var waiting = _queue.Reader.Count;
            if (waiting == 0 || _depth == MaxDepth) return;
            var threads = _threads;
            using var gradients = torch.enable_grad(); // the caller may be inside no_grad
            _depth++;
            while (waiting-- > 0 && _queue.Reader.TryRead(out var work))
            {
                work();
                RecordProgress();
            }
            _depth--;
            Use(threads);
        }

        private void RecordProgress() => Interlocked.Exchange(ref _lastProgress, Stopwatch.GetTimestamp());

        public async ValueTask DisposeAsync()
        {
            _queue.Writer.TryComplete();
            await _ended.Task.ConfigureAwait(false);
        }

        private void Run()
        {
            try
            {
                _current = this;
                while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
                {
                    while (_queue.Reader.TryRead(out var work))
                    {
                        _busy.Begin();
                        RecordProgress();
                        work();
                        Interlocked.Exchange(ref _lastProgress, 0);
                        _busy.End();
                    }
                }
            }
            finally
            {
                _readings.Dispose();
                _ended.TrySetResult();
            }
        }
    }
}
