using Microsoft.AspNetCore.Components;

namespace MedMerge.Gateway.Pages.Shared;

/// <summary>A page that reads what it shows, and where that fails says why instead.</summary>
public abstract partial class PageBase : ComponentBase, IDisposable
{
    private readonly CancellationTokenSource _leaving = new();
    private string? _actionProblem;
    private bool _hasRead;
    private bool _isReading;
    private string? _readProblem;

    /// <summary>Creates it.</summary>
    protected PageBase() => Leaving = _leaving.Token;

    /// <summary>Why what was asked for last did not work, or what is shown is old; null where neither is so.</summary>
    protected string? Problem => _actionProblem ?? _readProblem;

    /// <summary>Cancelled when the user leaves the page.</summary>
    protected CancellationToken Leaving { get; }

    /// <summary>Goes to other pages.</summary>
    [Inject]
    protected NavigationManager Navigation { get; set; } = default!;

    /// <summary>The clock.</summary>
    [Inject]
    protected TimeProvider Time { get; set; } = default!;

    [Inject]
    private UserActions Actions { get; set; } = default!;

    [Inject]
    private ILoggerFactory Loggers { get; set; } = default!;

    /// <inheritdoc />
    public void Dispose()
    {
        Dispose(isDisposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Changes something for the page's user; a failure becomes the <see cref="Problem"/>.</summary>
    /// <inheritdoc cref="UserActions.RunAsync" path="/param" />
    /// <returns>Whether it worked.</returns>
    private protected Task<bool> ChangeAsync(PageAction action, string target, Func<Task> change) =>
        ChangeAsync(action, () => target, change);

    /// <inheritdoc cref="ChangeAsync(PageAction, string, Func{Task})" />
    private protected Task<bool> ChangeAsync(PageAction action, Func<string> target, Func<Task> change) =>
        TryAsync(() => Actions.RunAsync(action, target, change));

    /// <summary>Does something; a failure becomes the <see cref="Problem"/>.</summary>
    /// <returns>Whether it worked.</returns>
    protected async Task<bool> TryAsync(Func<Task> work)
    {
        var (isDone, problem) = await RunAsync(work);
        _actionProblem = problem;
        return isDone;
    }

    /// <summary>Reads what the page shows; a failure becomes the <see cref="Problem"/> until the next reading works.</summary>
    protected async Task LoadAsync(Func<Task> read)
    {
        _isReading = true;
        (_hasRead, _readProblem) = await RunAsync(read);
        _isReading = false;
    }

    /// <summary>Reads again and again, from the first rendering in a browser on until the user leaves the page.</summary>
    /// <param name="isFirst">Whether it was rendered for the first time.</param>
    protected void Follow(bool isFirst, Func<Task> read, TimeSpan period)
    {
        if (isFirst) _ = FollowAsync(read, period, isOnce: false);
    }

    /// <summary>Reads again until it has worked once.</summary>
    /// <inheritdoc cref="Follow" path="/param" />
    protected void Retry(bool isFirst, Func<Task> read, TimeSpan period)
    {
        if (isFirst) _ = FollowAsync(read, period, isOnce: true);
    }

    /// <summary>Ends what the page has begun.</summary>
    protected virtual void Dispose(bool isDisposing)
    {
        if (!isDisposing) return;
        _leaving.Cancel();
        _leaving.Dispose();
    }

    private async Task FollowAsync(Func<Task> read, TimeSpan period, bool isOnce)
    {
        using var timer = new PeriodicTimer(period, Time);
        try
        {
            while (await timer.WaitForNextTickAsync(Leaving))
            {
                if (isOnce && _hasRead) return;
                await InvokeAsync(() => _isReading ? Task.CompletedTask : LoadAsync(read));
                await InvokeAsync(StateHasChanged);
            }
        }
        catch (OperationCanceledException)
        {
            // The user has left the page.
        }
    }

    private async Task<(bool IsDone, string? Problem)> RunAsync(Func<Task> work)
    {
        try
        {
            await work();
            return (true, null);
        }
        catch (OperationCanceledException) when (_leaving.IsCancellationRequested)
        {
            return (false, null);
        }
        catch (Exception error)
        {
            var (status, text) = Failures.Describe(error);
            if (status == StatusCodes.Status500InternalServerError) LogFailed(Loggers.CreateLogger(GetType()), error, Navigation.Uri);
            return (false, text);
        }
    }

    [LoggerMessage(LogLevel.Error, "The page {Address} could not do what was asked.")]
    private static partial void LogFailed(ILogger logger, Exception error, string address);
}
