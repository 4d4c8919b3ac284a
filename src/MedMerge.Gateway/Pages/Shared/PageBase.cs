using Microsoft.AspNetCore.Components;

namespace MedMerge.Gateway.Pages.Shared;

/// <summary>A page that reads what it shows, and where that fails says why instead.</summary>
public abstract partial class PageBase : ComponentBase, IDisposable
{
    private readonly CancellationTokenSource _leaving = new();

    /// <summary>Creates it.</summary>
    protected PageBase() => Leaving = _leaving.Token;

    /// <summary>Why what was asked for last did not work; null where it did.</summary>
    protected string? Problem { get; private set; }

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
    protected Task<bool> ChangeAsync(string role, string action, string target, Func<Task> change) =>
        TryAsync(() => Actions.RunAsync(role, action, target, change));

    /// <summary>Reads something; a failure becomes the <see cref="Problem"/>.</summary>
    /// <returns>Whether it worked.</returns>
    protected async Task<bool> TryAsync(Func<Task> work)
    {
        try
        {
            await work();
            Problem = null;
            return true;
        }
        catch (OperationCanceledException) when (_leaving.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception error)
        {
            var (status, text) = Failures.Describe(error);
            if (status == StatusCodes.Status500InternalServerError) LogFailed(Loggers.CreateLogger(GetType()), error, Navigation.Uri);
            Problem = text;
            return false;
        }
    }

    /// <summary>Reads again and again until the user leaves the page.</summary>
    protected async Task FollowAsync(Func<Task> read, TimeSpan period)
    {
        using var timer = new PeriodicTimer(period, Time);
        try
        {
            while (await timer.WaitForNextTickAsync(Leaving))
            {
                await InvokeAsync(read);
                await InvokeAsync(StateHasChanged);
            }
        }
        catch (OperationCanceledException)
        {
            // The user has left the page.
        }
    }

    /// <summary>Ends what the page has begun.</summary>
    protected virtual void Dispose(bool isDisposing)
    {
        if (!isDisposing) return;
        _leaving.Cancel();
        _leaving.Dispose();
    }

    [LoggerMessage(LogLevel.Error, "The page {Address} could not do what was asked.")]
    private static partial void LogFailed(ILogger logger, Exception error, string address);
}
